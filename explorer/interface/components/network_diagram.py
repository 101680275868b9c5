"""The network diagram: stages, blocks and layers of a counted network, which open, fold and export in the browser."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Literal

from explorer.architectures.results import Cost, NetworkTable
from explorer.interface.components.registration import digest_of, register
from explorer.interface.theme import palette
from explorer.networks.structure import Block, BlockKind, LayerInfo, LayerNode, Node, blocks_of, paths_of

Measure = Literal["parameters", "multiply_adds", "activations"]
Depth = Literal["stages", "blocks", "layers"]
Change = Literal["same", "changed", "only"]
Layers = Mapping[str, LayerInfo]

MEASURES: tuple[Measure, ...] = ("parameters", "multiply_adds", "activations")

_network_diagram = register("network_diagram")
_CHANGES: tuple[Change, ...] = ("same", "changed", "only")
# A map that shrinks by less than this has only lost its border (convolutions without padding).
_STEP = 1.5
_FEWEST_STAGES = 3
_SIDE = "Side output"
# What only brings the picture in.
_ENTERING = ("InputLayer", "Rescaling", "Normalization", "Resizing")
_SHORTCUT_LAYERS = 3
_SIZE = re.compile(r"· (\d+) × (\d+)$")
_NOTHING = Cost(0, 0, 0, 0)


def network_diagram(
    table: NetworkTable,
    *,
    key: str,
    height: int = 620,
    measure: Measure = "parameters",
    selected: str | None = None,
    open_to: Depth = "stages",
    changes: Mapping[str, Change] | None = None,
    broken: Mapping[str, str] | None = None,
    on_select: Callable[[], None] | None = None,
    title: str | None = None,
    tools: bool = True,
    drawing: str | None = None,
) -> Any:
    """Show a network as stages that open to blocks, and blocks that open to layers, branches and shortcuts.

    Opening, folding, the choice of the measure, pan, zoom and the files are the browser's and ask no server.

    Args:
        table: the counted network.
        key: Streamlit key of the element.
        height: greatest height of the picture in pixels of the page; a smaller picture takes less.
        measure: what the bars show at first.
        selected: path of a layer, or id of a block (see `layers_in`), that is drawn as selected.
        open_to: what is open at first.
        changes: by path: whether the layer is the same in the other network, changed, or only here.
        broken: by path: the sentence that says why the layer cannot be.
        on_select: called after a click; `st.session_state[key].selected` is a path or the id of a block. It comes
            from the browser: `layers_in` says what it stands for.
        title: name of the network for people, for the files and for those who cannot see it.
        tools: whether the measure, the depth and the size can be chosen; without them only the two files are offered,
            for small diagrams beside each other.
        drawing: what `drawing_of` has returned for the same arguments, where it was kept.
    """
    colours = palette()
    hues = {
        "input": colours.input,
        "weight": colours.weight,
        "activation": colours.activation,
        "highlight": colours.highlight,
        "error": colours.error,
        "muted": colours.muted,
        "text": colours.text,
        "background": colours.background,
        "border": colours.border,
    }
    if drawing is None:
        drawing = drawing_of(
            table,
            height=height,
            measure=measure,
            open_to=open_to,
            changes=changes,
            broken=broken,
            title=title,
            tools=tools,
        )
    data = message(drawing, selected=selected, selectable=on_select is not None, hues=hues)
    return _network_diagram(key=key, data=data, height="content", on_selected_change=on_select or (lambda: None))


def message(
    drawing: str, *, selected: str | None = None, selectable: bool = False, hues: Mapping[str, str] | None = None
) -> bytes:
    """Return what travels to the browser: a drawing, and what changes with a click or the theme.

    It is laid out as `packing.pack` does it, without blobs; the drawing is JSON already.
    """
    rest = {"selected": selected, "selectable": selectable, "hues": dict(hues or {}), "blobs": {}}
    head = f"{drawing[:-1]},{json.dumps(rest, separators=(',', ':'))[1:]}".encode()
    return len(head).to_bytes(4, "little") + head


def drawing_of(
    table: NetworkTable,
    *,
    height: int = 620,
    measure: Measure = "parameters",
    open_to: Depth = "stages",
    changes: Mapping[str, Change] | None = None,
    broken: Mapping[str, str] | None = None,
    title: str | None = None,
    tools: bool = True,
) -> str:
    """Return a network as JSON: the layers in columns, the tree in numbers; arguments as of `network_diagram`.

    It takes 2 to 25 ms and up to 100 kB, depends on no visitor, and so may be kept for all of them.
    """
    layers = table.structure.layers
    numbers = {path: number for number, path in enumerate(layers)}
    texts, shapes = _Pool(), _Pool()
    columns: dict[str, list[Any]] = {name: [] for name in (
        "name", "kind", "words", "shape", "inputs", "weights", "work", "sees", "settings", *MEASURES, "fixed",
    )}  # fmt: skip
    for path, layer in layers.items():
        cost = table.costs.get(path, _NOTHING)
        columns["name"].append(layer.name)
        columns["kind"].append(texts.add(layer.kind))
        columns["words"].append(texts.add(words_of(layer)))
        columns["shape"].append(shapes.add(tuple(layer.output_shape)))
        columns["inputs"].append([numbers[source] for source in layer.inputs if source in numbers])
        columns["weights"].append(texts.add(weights_formula(layer, layers)))
        columns["work"].append(texts.add(work_formula(layer, layers, cost)))
        columns["sees"].append(texts.add(_sees(cost)))
        columns["settings"].append(texts.add(_settings(layer)))
        columns["parameters"].append(cost.parameters)
        columns["multiply_adds"].append(cost.multiply_adds)
        columns["activations"].append(cost.activations)
        columns["fixed"].append(cost.parameters - cost.trainable)
    header: dict[str, Any] = {
        "network": table.name,
        "title": title or table.name,
        "layers": columns,
        "paths": {number: path for path, number in numbers.items() if path != layers[path].name},
        "texts": texts.values,
        "shapes": shapes.values,
        "tree": _Numbers(layers, numbers).nodes(tree_of(table), "@"),
        "height": height,
        "measure": measure,
        "open_to": open_to,
        "changes": {numbers[path]: kind for path, kind in (changes or {}).items() if path in numbers},
        "tools": tools,
        "compared": changes is not None,
        "broken": {numbers[path]: sentence for path, sentence in (broken or {}).items() if path in numbers},
    }
    text = json.dumps(header, separators=(",", ":"), allow_nan=False)
    return f'{text[:-1]},"digest":"{digest_of(text.encode())}"}}'


def layers_in(table: NetworkTable, chosen: object) -> tuple[str, ...]:
    """Return the paths that a selection stands for: itself for a layer, all layers inside for a block.

    Args:
        table: the network that was shown.
        chosen: what the browser sent, whatever it is.

    Returns:
        The paths in the order of the tree; nothing for what the network does not have.
    """
    if not isinstance(chosen, str) or not chosen:
        return ()
    if chosen in table.structure.layers:
        return (chosen,)
    block = _blocks(tree_of(table), "@").get(chosen)
    return tuple(paths_of([block])) if block is not None else ()


def block_title(table: NetworkTable, chosen: str) -> str:
    """Return the title of a block by the id that a selection has; empty where there is none."""
    block = _blocks(tree_of(table), "@").get(chosen)
    return block.title if block is not None else ""


# --- the tree: as the structure has it, but stages also where a long shortcut spans the whole network ---


def tree_of(table: NetworkTable) -> tuple[Node, ...]:
    """Return the tree that is drawn.

    It is the structure's own, with three exceptions. Networks that go down to small maps and up again with shortcuts
    across, as U-Net does: there the structure nests one resolution in the next, and the figure that everybody knows
    has them one after the other. Networks with side outputs, as GoogLeNet's auxiliary ones: all that follows the first
    of them is one of two branches there, and goes on in the row here. And networks that were described before the
    size of their maps was known, which have no stages yet.
    """
    structure = table.structure
    flat: list[Node] = []
    for node in _with_open_ends(structure.nodes):
        flat += node.children if isinstance(node, Block) and _is_of_one_size(node) else (node,)
    straight = list(_straightened(flat, structure.layers))
    if len(straight) == len(flat) and any(block.kind == "stage" for block in blocks_of(structure.nodes)):
        return structure.nodes
    staged = _staged(straight, structure.layers)
    sizes = {_side(map_of(node, structure.layers)) for node in staged if isinstance(node, Block)} - {None}
    return staged if len(sizes) >= _FEWEST_STAGES else structure.nodes


def _is_of_one_size(block: Block) -> bool:
    """Return whether a block is a stage of maps, neither input nor head."""
    return block.kind == "stage" and not block.title.startswith("Input") and _SIZE.search(block.title) is not None


def _ends_apart(block: Block) -> bool:
    """Return whether the branches of a block never meet again: they lead to outputs of their own."""
    return block.merge is None and len(block.branches) > 1 and all(block.branches)


def _with_open_ends(nodes: Iterable[Node]) -> Iterator[Node]:
    """Take branches that never meet again out of the stage that they were put into."""
    for node in nodes:
        if (
            isinstance(node, Block)
            and node.kind == "stage"
            and any(isinstance(child, Block) and _ends_apart(child) for child in node.children)
        ):
            yield from node.children
        else:
            yield node


def _straightened(nodes: Iterable[Node], layers: Layers) -> Iterator[Node]:
    """Put what lies under a long shortcut into one row with what stands around it."""
    for node in nodes:
        if isinstance(node, Block) and _ends_apart(node):
            *sides, trunk = sorted(node.branches, key=lambda branch: len(list(paths_of(branch))))
            for side in sides:
                yield _group(f"{_SIDE} {layers[_output(side[-1])].name}", "block", side, layers)
            yield from _straightened((*trunk, *node.children), layers)
            continue
        if not isinstance(node, Block) or not _spans_sizes(node, layers):
            yield node
            continue
        for branch in sorted(node.branches, key=lambda branch: -len(list(paths_of(branch)))):
            yield from _straightened(branch, layers)
        if node.merge is not None:
            yield LayerNode(node.merge)
        yield from node.children


def _spans_sizes(block: Block, layers: Layers) -> bool:
    """Return whether one branch goes down to smaller maps and comes back, while the others hand theirs across."""
    if block.merge is None or len(block.branches) < 2:
        return False
    end = _side(layers[block.merge].output_shape)
    lengths = sorted((len(list(paths_of(branch))) for branch in block.branches), reverse=True)
    if end is None or lengths[1] > _SHORTCUT_LAYERS:
        return False
    longest = max(block.branches, key=lambda branch: len(list(paths_of(branch))))
    sides = [side for path in paths_of(longest) if (side := _side(layers[path].output_shape))]
    return bool(sides) and min(map(max, sides)) * _STEP <= max(end)


def _staged(nodes: Sequence[Node], layers: Layers) -> tuple[Node, ...]:
    """Group nodes by the size of their maps."""
    groups: list[tuple[tuple[int, int] | None, list[Node]]] = []
    entering: list[Node] = []
    for node in nodes:
        size = _side(layers[_output(node)].output_shape)
        if isinstance(node, LayerNode) and not groups and layers[node.path].kind.startswith(_ENTERING):
            entering.append(node)
            continue
        before = groups[-1][0] if groups else None
        goes_on = size is None if before is None else size is not None and not _steps(before, size)
        if not groups or not (goes_on or _is_side(node)):
            groups.append((size, []))
        groups[-1][1].append(node)
    result: list[Node] = entering if len(entering) == 1 else []
    if len(entering) > 1:
        result.append(_group("Input", "stage", entering, layers))
    for number, (_, members) in enumerate(groups, 1):
        # Named by what it hands on: without padding the maps lose their borders on the way.
        size = _side(layers[_handed_on(members)].output_shape)
        title = f"Stage {number} · {size[0]} × {size[1]}" if size else "Head"
        result.append(_group(title, "stage", members, layers))
    return tuple(result)


def _group(title: str, kind: BlockKind, members: Sequence[Node], layers: Layers) -> Block:
    output = _handed_on(members)
    parameters = sum(layers[path].parameters for path in paths_of(members))
    return Block(title, kind, tuple(members), (), output, parameters, layers[output].output_shape)


def _is_side(node: Node) -> bool:
    return isinstance(node, Block) and node.title.startswith(_SIDE)


def _handed_on(members: Sequence[Node]) -> str:
    """Return the path of the layer whose output leaves a group; side outputs lead nowhere."""
    return _output([node for node in members if not _is_side(node)][-1])


def _steps(before: tuple[int, int], now: tuple[int, int]) -> bool:
    ratio = max(before) / max(now)
    return ratio >= _STEP or ratio <= 1 / _STEP


def _output(node: Node) -> str:
    return node.path if isinstance(node, LayerNode) else node.output


def _side(shape: Sequence[int | None]) -> tuple[int, int] | None:
    """Return (height, width) of a map; None for vectors, and for maps of one place."""
    if len(shape) != 3 or shape[0] is None or shape[1] is None or max(shape[0], shape[1]) <= 1:
        return None
    return shape[0], shape[1]


def map_of(block: Block, layers: Layers) -> tuple[int | None, ...]:
    """Return the shape that a stage is named by: its last map before a pooling layer leads on to the next."""
    found = _SIZE.search(block.title)
    if found is None:
        return block.output_shape
    size = int(found[1]), int(found[2])
    shapes = [layers[path].output_shape for path in paths_of([block])]
    fitting = [shape for shape in shapes if _side(shape) == size]
    if block.output_shape in fitting or not fitting:
        return block.output_shape if fitting else (*size, block.output_shape[-1])
    return fitting[-1]


def _child_lists(block: Block) -> Iterator[tuple[str, tuple[Node, ...]]]:
    for number, branch in enumerate(block.branches):
        yield f":{number}", branch
    yield "", block.children


def _blocks(nodes: Iterable[Node], prefix: str) -> dict[str, Block]:
    """Return all blocks by their ids: the places on the way to each, counted from 0; ":1" stands for a branch."""
    found: dict[str, Block] = {}
    for number, node in enumerate(nodes):
        if isinstance(node, Block):
            found[f"{prefix}{number}"] = node
            for branch, members in _child_lists(node):
                found |= _blocks(members, f"{prefix}{number}{branch}.")
    return found


@dataclass
class _Pool:
    """Values that occur often, each sent once."""

    values: list[Any] = field(default_factory=list)
    numbers: dict[Any, int] = field(default_factory=dict)

    def add(self, value: Any) -> int:
        if value not in self.numbers:
            self.numbers[value] = len(self.values)
            self.values.append(value)
        return self.numbers[value]


@dataclass
class _Numbers:
    """Writes the tree as lists of numbers (layers) and short records (blocks)."""

    layers: Layers
    numbers: Mapping[str, int]
    forms: _Pool = field(default_factory=_Pool)
    seen: _Pool = field(default_factory=_Pool)
    looks: dict[str, int] = field(default_factory=dict)

    def nodes(self, nodes: Iterable[Node], prefix: str) -> list[Any]:
        return [
            self.numbers[node.path] if isinstance(node, LayerNode) else self.block(node, f"{prefix}{number}")
            for number, node in enumerate(nodes)
        ]

    def block(self, block: Block, name: str) -> dict[str, Any]:
        record: dict[str, Any] = {
            "id": name,
            "title": block.title,
            "kind": block.kind,
            "output": self.numbers[block.output],
            "map": list(map_of(block, self.layers) if block.kind == "stage" else block.output_shape),
            "form": self.forms.add(self.form([block], exact=False)),
            "exact": self.forms.add(self.form([block], exact=True)),
            "children": self.nodes(block.children, f"{name}."),
        }
        if block.branches:
            record["branches"] = [
                self.nodes(branch, f"{name}:{number}.") for number, branch in enumerate(block.branches)
            ]
        if block.merge is not None:
            record["merge"] = self.numbers[block.merge]
        return record

    def look(self, layer: LayerInfo) -> int:
        """Return a number for a layer's kind and settings: every block around it asks for them again."""
        if layer.path not in self.looks:
            self.looks[layer.path] = self.seen.add((layer.kind, repr(sorted(layer.config.items(), key=str))))
        return self.looks[layer.path]

    def form(self, nodes: Iterable[Node], *, exact: bool) -> tuple[Any, ...]:
        """Return what is alike in blocks that are built alike; `exact` ones agree in shapes and weights too."""
        parts: list[Any] = []
        for node in nodes:
            if isinstance(node, LayerNode):
                layer = self.layers[node.path]
                parts.append(self.look(layer))
                if exact:
                    parts.append((layer.output_shape, layer.parameters))
                continue
            merge = (LayerNode(node.merge),) if node.merge else ()
            inside = [self.form(members, exact=exact) for members in (*node.branches, merge, node.children)]
            parts.append((node.kind, *inside))
        return tuple(parts)


# --- words and formulas ---


def _pair(value: object) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value, value)
    return tuple(value) if isinstance(value, tuple | list) else ()


def _by(value: object) -> str:
    """Return a size as it is said: 3×3, 1×7, 5."""
    return "×".join(map(str, _pair(value)))


def _step_text(layer: LayerInfo) -> str:
    """Return the strides as the papers write them: /2; nothing for 1."""
    steps = _pair(layer.config.get("strides", 1))
    if not steps or all(step == 1 for step in steps):
        return ""
    return f", /{steps[0]}" if len(set(steps)) == 1 else f", /{_by(steps)}"


_PLAIN_WORDS = {
    "InputLayer": "Input", "BatchNormalization": "Batch norm", "LayerNormalization": "Layer norm",
    "GroupNormalization": "Group norm", "UnitNormalization": "Unit norm", "Flatten": "Flatten",
    "GlobalAveragePooling2D": "Global average pool", "GlobalMaxPooling2D": "Global max pool", "ReLU": "ReLU",
    "LeakyReLU": "Leaky ReLU", "Concatenate": "Concatenate", "Add": "Add", "Multiply": "Multiply",
    "ZeroPadding2D": "Zero padding", "Rescaling": "Rescaling", "Normalization": "Normalise the input",
    "Softmax": "Softmax", "Average": "Average", "Maximum": "Maximum", "Subtract": "Subtract",
}  # fmt: skip
_ACTIVATIONS = {"relu": "ReLU", "relu6": "ReLU6", "elu": "ELU", "gelu": "GELU", "selu": "SELU", "silu": "SiLU"}
_CONVOLUTIONS = {
    "Conv1D": "conv", "Conv2D": "conv", "Conv3D": "conv", "DepthwiseConv2D": "depthwise",
    "SeparableConv2D": "separable", "Conv2DTranspose": "transposed", "DepthwiseConv1D": "depthwise",
    "SeparableConv1D": "separable",
}  # fmt: skip


def words_of(layer: LayerInfo) -> str:
    """Return in few words what a layer does, as in the papers' figures: "3×3 conv, 256, /2"."""
    config = layer.config
    kind = layer.kind
    if kind in _CONVOLUTIONS and "kernel_size" in config:
        words = f"{_by(config['kernel_size'])} {_CONVOLUTIONS[kind]}"
        if config.get("filters"):
            words += f", {config['filters']}"
        words += _step_text(layer)
        if _pair(config.get("groups", 1))[0] > 1:
            words += f", {config['groups']} groups"
        if any(rate != 1 for rate in _pair(config.get("dilation_rate", 1))):
            words += f", dilation {_by(config['dilation_rate'])}"
        return words
    if kind == "Dense" and "units" in config:
        return f"Dense, {config['units']}"
    if "Pooling" in kind and "pool_size" in config:
        plain = not _step_text(layer) and "strides" not in config
        words = f"{_by(config['pool_size'])} {'max' if kind.startswith('Max') else 'average'} pool"
        return words + ("" if plain else _step_text(layer))
    if kind == "Activation" and config.get("activation"):
        name = str(config["activation"])
        return _ACTIVATIONS.get(name, name.replace("_", " ").capitalize())
    if kind in ("Dropout", "SpatialDropout2D"):
        return f"Dropout, {config['rate']:g}" if isinstance(config.get("rate"), int | float) else "Dropout"
    if kind == "UpSampling2D":
        return f"Up-sampling ×{_by(config.get('size', 2)).split('×')[0]}"
    if kind == "Embedding" and "output_dim" in config:
        return f"Embedding, {config['output_dim']}"
    return _PLAIN_WORDS.get(kind) or re.sub(r"(?<=[a-z])(?=[A-Z])", " ", kind)


def _settings(layer: LayerInfo) -> str:
    """Return the telling arguments as Keras takes them."""
    return ", ".join(f"{name}={value!r}" for name, value in layer.config.items() if name != "clash")


def _sees(cost: Cost) -> str:
    if cost.sees_all:
        return "the whole input"
    if cost.field is None:
        return ""
    return f"{cost.field[0]} × {cost.field[1]} pixels"


def _given(layer: LayerInfo, layers: Layers) -> tuple[int | None, ...]:
    return layers[layer.inputs[0]].output_shape if layer.inputs and layer.inputs[0] in layers else ()


def _terms(layer: LayerInfo, layers: Layers) -> list[tuple[int, ...]]:
    """Return the products whose sum is the number of weights of a convolution or a dense layer, without biases."""
    given = _given(layer, layers)
    entering = given[-1] if given else None
    if not isinstance(entering, int):
        return []
    config = layer.config
    kernel = _pair(config.get("kernel_size", ()))
    many = config.get("depth_multiplier", 1)
    if layer.kind in ("Conv2D", "Conv2DTranspose") and kernel and "filters" in config:
        return [(*kernel, entering // config.get("groups", 1), config["filters"])]
    if layer.kind == "DepthwiseConv2D" and kernel:
        return [(*kernel, entering, many) if many != 1 else (*kernel, entering)]
    if layer.kind == "SeparableConv2D" and kernel and "filters" in config:
        return [(*kernel, entering * many), (entering * many, config["filters"])]
    if layer.kind == "Dense" and "units" in config:
        return [(entering, config["units"])]
    return []


def _product(factors: Iterable[int]) -> str:
    return " · ".join(f"{factor:,}" for factor in factors)


def weights_formula(layer: LayerInfo, layers: Layers) -> str:
    """Return how the weights of a layer come about, "3 · 3 · 64 · 128 + 128 = 73,856".

    Empty where the layer has none, or where this sum is not what it truly has.
    """
    if not layer.parameters:
        return ""
    terms = _terms(layer, layers)
    if terms:
        parts = [_product(term) for term in terms]
        total = sum(map(prod, terms))
        if layer.config.get("use_bias", True):
            bias = layer.config.get("filters") or layer.config.get("units") or layer.channels or 0
            parts.append(f"{bias:,}")
            total += bias
    elif layer.kind in ("BatchNormalization", "LayerNormalization") and layer.channels:
        many = layer.parameters // layer.channels
        parts, total = [f"{many} · {layer.channels:,}"], many * layer.channels
    else:
        return ""
    return f"{' + '.join(parts)} = {total:,}" if total == layer.parameters else ""


def work_formula(layer: LayerInfo, layers: Layers, cost: Cost) -> str:
    """Return how the multiply-adds of a layer come about; empty where there are none or where this is not the sum."""
    terms = _terms(layer, layers)
    shape = _given(layer, layers) if layer.kind == "Conv2DTranspose" else layer.output_shape
    places = [size for size in shape[:-1] if isinstance(size, int)]
    if not terms or not cost.multiply_adds or len(places) != len(shape) - 1:
        return ""
    total = prod(places) * sum(map(prod, terms))
    inside = " + ".join(map(_product, terms))
    if places:
        inside = f"{_product(places)} · {f'({inside})' if len(terms) > 1 else inside}"
    return f"{inside} = {total:,}" if total == cost.multiply_adds else ""


def has_stages(table: NetworkTable) -> bool:
    """Return whether the diagram begins with stages; a small network is drawn as one group of layers."""
    return any(block.kind == "stage" for block in blocks_of(tree_of(table)))
