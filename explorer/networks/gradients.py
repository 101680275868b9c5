"""The one file that knows Keras' backends: value and gradient of a scalar function, and the device in use."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from explorer.networks.tap import Enough, lock_of, model_of, tapped
from explorer.settings import get_settings

Scalar = Callable[[Any], Any]
# The first calls of a function run eagerly: compiling costs more than they do (0.5 s against 0.1 s for
# MobileNetV2); a function that is called again after these is worth compiling.
EAGER_CALLS = 2
# A compiled function keeps a trace for so many shapes that it was called with: more than a dream has octaves.
MOST_TRACES = 12


class Device(NamedTuple):
    """What the backend computes on.

    Attributes:
        kind: "CPU" or "GPU".
        name: The maker's name for it, as far as it can be told.
        memory: Its memory in bytes, or None where the backend does not say.
    """

    kind: str
    name: str
    memory: int | None


@contextlib.contextmanager
def without_gradients() -> Iterator[None]:
    """Compute inside without recording for gradients, where the backend would otherwise."""
    if keras.backend.backend() == "torch":
        import torch

        with torch.no_grad():
            yield
    else:
        yield


def leaves_out_what_nobody_uses() -> bool:
    """Return whether the backend's compiled functions leave out what their results do not need; PyTorch has none."""
    return keras.backend.backend() != "torch"


def as_array(tensor: Any) -> np.ndarray:
    """Return a tensor of the backend as a float32 array, without a copy where they can share memory.

    The array may be read-only, as tensors are.
    """
    if keras.backend.backend() == "tensorflow":
        values = np.asarray(tensor)  # Keras' own way copies: 40 ms for all layers of MobileNetV2
    else:
        values = np.asarray(keras.ops.convert_to_numpy(tensor))
    return values.astype(np.float32, copy=False)


def sum_of_sorted(rows: Any, whose: Any, count: int) -> Any:
    """Add up the rows that belong together, where those lie together.

    Args:
        rows: Tensor (m, k).
        whose: int tensor (m,), ascending: the number of the sum that a row belongs to.
        count: How many sums.

    Returns:
        Tensor (count, k), 0 where no row belongs.
    """
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        # Keras' own way knows the number of sums only for rows in any order, which takes four times as long.
        found = tf.math.segment_sum(rows, whose)
        return tf.ensure_shape(tf.pad(found, [[0, count - tf.shape(found)[0]], [0, 0]]), (count, rows.shape[1]))
    return keras.ops.segment_sum(rows, whose, num_segments=count, sorted=True)


class _Kernel:
    """A function of tensors that is compiled at once, never, or after a few calls."""

    def __init__(
        self, function: Callable, compiled: bool | None, network: Any, variables: Sequence[keras.Variable] | None
    ) -> None:
        self._function = function
        self._compiled = compiled
        if variables is None:
            variables = [] if network is None else model_of(network).variables
        self._variables = list(variables)
        self._calls = 0
        self._traces: OrderedDict[Hashable, Callable] = OrderedDict()
        self._lock = threading.Lock()

    def _counted(self) -> bool:
        """Count a call, and tell whether it shall be compiled."""
        with self._lock:
            self._calls += 1
            if self._compiled is not None:
                return self._compiled
            # JAX compiles each operation of an eager call by itself, which takes longer than the whole.
            return self._calls > EAGER_CALLS or keras.backend.backend() == "jax"

    def _compiled_for(self, inputs: Any, build: Callable[[], Callable]) -> Callable:
        """Return the function compiled for inputs of these shapes; the least used of `MOST_TRACES` makes room."""
        shapes = tuple(None if leaf is None else (tuple(leaf.shape), leaf.dtype) for leaf in _leaves(inputs))
        with self._lock:
            found = self._traces.get(shapes)
        if found is None:
            found = build()  # outside of the lock: it takes seconds
        with self._lock:
            found = self._traces.setdefault(shapes, found)
            self._traces.move_to_end(shapes)
            while len(self._traces) > MOST_TRACES:
                self._traces.popitem(last=False)
        return found

    def _with_variables(self, values: Sequence[Any], call: Callable[[], Any]) -> Any:
        with keras.StatelessScope(state_mapping=list(zip(self._variables, values, strict=True))):
            return call()

    def _values(self) -> list[Any]:
        return [variable.value for variable in self._variables]


def _tensors(nest: Any) -> Any:
    """Make every leaf a tensor: a Python number would be compiled in, and traced anew for each of its values.

    Walked by hand: Keras' way through a nest takes as long as a tenth of a pass through a small network.
    """
    if type(nest) in (tuple, list):
        return type(nest)([_tensors(part) for part in nest])
    if isinstance(nest, tuple | list | dict):
        return keras.tree.map_structure(_tensor, nest)
    return _tensor(nest)


def _leaves(nest: Any) -> list[Any]:
    if type(nest) in (tuple, list):
        return [leaf for part in nest for leaf in _leaves(part)]
    return keras.tree.flatten(nest) if isinstance(nest, tuple | list | dict) else [nest]


def _tensor(leaf: Any) -> Any:
    # Arrays first: to tell a tensor takes Keras as long as to make one of a small array.
    if leaf is None or (not isinstance(leaf, np.ndarray | np.generic | float | int) and keras.ops.is_tensor(leaf)):
        return leaf
    if isinstance(leaf, float | np.floating):
        leaf = np.float32(leaf)
    elif isinstance(leaf, np.ndarray) and leaf.dtype == np.float64:
        leaf = leaf.astype(np.float32)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.constant(leaf)  # Keras' own way takes three times as long, which small calls feel
    return keras.ops.convert_to_tensor(leaf)


def _traced(run: Callable, inputs: Any) -> Callable:
    """Compile a function with TensorFlow for arguments of the shapes and the structure of these.

    The trace is called with its bare list of tensors: TensorFlow's own way from arguments to a trace takes a sixth of
    a pass through a small network.
    """
    import tensorflow as tf

    concrete = tf.function(run, autograph=False, reduce_retracing=False).get_concrete_function(*inputs)
    if not _is_flat(inputs):  # dictionaries: in whichever order TensorFlow takes them
        return concrete
    atomic, captured = concrete.inference_fn, concrete.captured_inputs
    pack = atomic.function_type.pack_output

    def call(*arguments: Any) -> Any:
        return pack(atomic.call_flat(*(leaf for leaf in _leaves(arguments) if leaf is not None), *captured))

    # The trace owns what the call needs, and the graph owns the trace.
    call.trace = concrete  # type: ignore[attr-defined]
    return call


def _is_flat(nest: Any) -> bool:
    """Tell whether a nest is of tuples and lists alone."""
    if type(nest) in (tuple, list):
        return all(map(_is_flat, nest))
    return not isinstance(nest, tuple | list | dict)


class Compiled(_Kernel):
    """A function of tensors without its gradient, compiled; keep it to call it often.

    Args:
        function: From tensors (or nests of them) to a nest of tensors, written with `keras.ops` and layers.
            What it does besides, such as a tap on layers, happens when it is traced, not when it is called.
        network: A loaded network or a model that it calls, so that JAX passes the variables in. Without it
            JAX compiles them in as constants.
        compiled: At once (`tf.function`, `jax.jit`), never, or, for None, from the third call on (under JAX from the
            first). PyTorch always stays eager.
    """

    def __init__(self, function: Callable[..., Any], *, network: Any = None, compiled: bool | None = None) -> None:
        super().__init__(function, compiled, network, None)

    def __call__(self, *arguments: Any) -> Any:
        """Return what the function returns for these arrays, tensors, numbers or nests of them, as tensors."""
        compiled = self._counted()
        inputs = _tensors(arguments)
        backend = keras.backend.backend()
        if backend == "jax":

            def run(values: list, arguments: tuple) -> Any:
                return self._with_variables(values, lambda: self._function(*arguments))

            if compiled:
                import jax

                return self._compiled_for(inputs, lambda: jax.jit(run))(self._values(), inputs)
            return run(self._values(), inputs)
        if backend == "tensorflow" and compiled:
            return self._compiled_for(inputs, lambda: _traced(self._function, inputs))(*inputs)
        with without_gradients():
            return self._function(*inputs)


class WithGradient(_Kernel):
    """A function of tensors together with its gradient, compiled; everything stays on the device.

    Args:
        function: `function(x, *others)` returns (scalar, aux), written with `keras.ops` and layers: x is a
            tensor or a nest of tensors, aux a nest of tensors or None. It should be as pure as a function can
            be that calls layers: changes to variables are dropped under JAX.
        network: See `Compiled`.
        compiled: See `Compiled`.
        variables: Instead of a network's, the variables that JAX shall pass in.
    """

    def __init__(
        self,
        function: Callable[..., tuple[Any, Any]],
        *,
        network: Any = None,
        compiled: bool | None = None,
        variables: Sequence[keras.Variable] | None = None,
    ) -> None:
        super().__init__(function, compiled, network, variables)

    def __call__(self, x: Any, *others: Any) -> tuple[Any, Any, Any]:
        """Return (value, aux, gradient), with gradient = d value / d x in x's structure, zeros where none.

        Args:
            x: float array or tensor, or a nest of them.
            others: arrays, tensors, numbers or nests of them, which no gradient is taken of.

        Raises:
            ValueError: if the function does not return a scalar first.
        """
        compiled = self._counted()
        run = {"tensorflow": self._tensorflow, "jax": self._jax, "torch": self._torch}
        return run[keras.backend.backend()](_tensors(x), _tensors(others), compiled)

    def _scalar(self, x: Any, others: Any) -> tuple[Any, Any]:
        value, aux = self._function(x, *others)
        if tuple(value.shape) not in ((), (1,)):
            raise ValueError(f"A gradient is taken of one number, not of shape {tuple(value.shape)}.")
        return keras.ops.reshape(value, ()), aux

    def _tensorflow(self, x: Any, others: Any, compiled: bool) -> tuple[Any, Any, Any]:
        import tensorflow as tf

        def run(x: Any, *others: Any) -> tuple[Any, Any, Any]:
            flat = keras.tree.flatten(x)
            with tf.GradientTape(watch_accessed_variables=False) as tape:
                tape.watch(flat)
                value, aux = self._scalar(x, others)
            found = tape.gradient(value, flat, unconnected_gradients=tf.UnconnectedGradients.ZERO)
            return value, aux, keras.tree.pack_sequence_as(x, [tf.convert_to_tensor(each) for each in found])

        inputs = (x, *others)
        return (self._compiled_for(inputs, lambda: _traced(run, inputs)) if compiled else run)(*inputs)

    def _jax(self, x: Any, others: Any, compiled: bool) -> tuple[Any, Any, Any]:
        import jax

        def scalar(x: Any, values: list, others: Any) -> tuple[Any, Any]:
            return self._with_variables(values, lambda: self._scalar(x, others))

        build = jax.value_and_grad(scalar, has_aux=True)
        run = self._compiled_for((x, others), lambda: jax.jit(build)) if compiled else build
        (value, aux), gradient = run(x, self._values(), others)
        return value, aux, gradient

    def _torch(self, x: Any, others: Any, compiled: bool) -> tuple[Any, Any, Any]:
        import torch

        with torch.enable_grad():
            leaves = [leaf.detach().clone().requires_grad_(True) for leaf in keras.tree.flatten(x)]
            value, aux = self._scalar(keras.tree.pack_sequence_as(x, leaves), others)
            found: Sequence[Any] = [None] * len(leaves)
            if value.requires_grad:
                found = torch.autograd.grad(value, leaves, allow_unused=True)
        gradients = [
            torch.zeros_like(leaf).detach() if each is None else each for leaf, each in zip(leaves, found, strict=True)
        ]
        let_go = keras.tree.map_structure(lambda leaf: leaf if leaf is None else leaf.detach(), aux)
        return value.detach(), let_go, keras.tree.pack_sequence_as(x, gradients)


class HessianVector(_Kernel):
    """The product of a scalar function's Hessian with a vector, compiled; exact, without the Hessian itself.

    Args:
        function: As of `WithGradient`, without aux: `function(x, *others)` returns a scalar. It reads no variables.
        compiled: See `Compiled`.
    """

    def __init__(self, function: Callable[..., Any], *, compiled: bool | None = None) -> None:
        super().__init__(function, compiled, None, None)

    def __call__(self, x: Any, vector: Any, *others: Any) -> Any:
        """Return d²value / dx² · vector in x's structure, zeros where there is none (Pearlmutter 1994).

        Args:
            x: float array or tensor, or a nest of them.
            vector: of x's structure.
            others: arrays, tensors, numbers or nests of them.
        """
        compiled = self._counted()
        inputs = _tensors((x, vector, *others))
        run = {"tensorflow": self._tensorflow, "jax": self._jax, "torch": self._torch}[keras.backend.backend()]
        return (self._compiled_for(inputs, lambda: self._build(run, inputs)) if compiled else run)(*inputs)

    @staticmethod
    def _build(run: Callable, inputs: Any) -> Callable:
        if keras.backend.backend() == "tensorflow":
            return _traced(run, inputs)
        if keras.backend.backend() == "jax":
            import jax

            return jax.jit(run)
        return run

    def _tensorflow(self, x: Any, vector: Any, *others: Any) -> Any:
        import tensorflow as tf

        none = tf.UnconnectedGradients.ZERO
        flat, along = keras.tree.flatten(x), keras.tree.flatten(vector)
        with tf.GradientTape(watch_accessed_variables=False) as outer:
            outer.watch(flat)
            with tf.GradientTape(watch_accessed_variables=False) as inner:
                inner.watch(flat)
                value = self._function(x, *others)
            gradient = inner.gradient(value, flat, unconnected_gradients=none)
            slope = tf.add_n([tf.reduce_sum(g * v) for g, v in zip(gradient, along, strict=True)])
        found = outer.gradient(slope, flat, unconnected_gradients=none)
        return keras.tree.pack_sequence_as(x, [tf.convert_to_tensor(each) for each in found])

    def _jax(self, x: Any, vector: Any, *others: Any) -> Any:
        import jax

        return jax.jvp(jax.grad(lambda x: self._function(x, *others)), (x,), (vector,))[1]

    def _torch(self, x: Any, vector: Any, *others: Any) -> Any:
        import torch

        with torch.enable_grad():
            leaves = [leaf.detach().clone().requires_grad_(True) for leaf in keras.tree.flatten(x)]
            value = self._function(keras.tree.pack_sequence_as(x, leaves), *others)
            gradient = torch.autograd.grad(value, leaves, create_graph=True, allow_unused=True)
            pairs = zip(gradient, keras.tree.flatten(vector), strict=True)
            slope = sum((g * v).sum() for g, v in pairs if g is not None)
            found = torch.autograd.grad(slope, leaves, allow_unused=True)
        zeros = [torch.zeros_like(leaf) if each is None else each for leaf, each in zip(leaves, found, strict=True)]
        return keras.tree.pack_sequence_as(x, zeros)


class ValueAndGradient:
    """A scalar function that also tells its gradient, in arrays; keep it to call it often.

    Args:
        function: From a tensor, or a list of tensors, to a scalar, written with `keras.ops` and layers; as
            pure as a function can be that calls layers (changes to variables are dropped under JAX).
        compiled: Compile it (`tf.function`, `jax.jit`)? None compiles at the third call. PyTorch stays eager.
        variables: Variables of the models inside. JAX compiles other variables in as constants, so that a
            later change of them is not seen; TensorFlow and PyTorch always see it.
    """

    def __init__(
        self, function: Scalar, *, compiled: bool | None = None, variables: Sequence[keras.Variable] = ()
    ) -> None:
        self._run = WithGradient(lambda x: (function(x), None), compiled=compiled, variables=variables)

    def __call__(self, x: Any) -> tuple[float, Any]:
        """Return the value at x, and d value / d x.

        Args:
            x: float array, or a list of them; any number of axes.

        Returns:
            (value, gradient): a float, and an array of x's shape (or a list of them), float32.

        Raises:
            ValueError: if the function does not return a scalar.
        """
        many = isinstance(x, list | tuple)
        inputs = [np.asarray(part, dtype=np.float32) for part in (x if many else [x])]
        value, _, gradients = self._run(inputs if many else inputs[0])
        found = [as_array(gradient) for gradient in (gradients if many else [gradients])]
        return float(as_array(value)), (found if many else found[0])


KEPT_FUNCTIONS = 24
_KEPT_ATTRIBUTE = "_explorer_kept_functions"
_kept_functions_lock = threading.Lock()


class _Once:
    """Something that is built by whoever asks first, while others who ask for the same wait."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._built: list[Any] = []

    def get(self, build: Callable[[], Any]) -> Any:
        with self._lock:
            if not self._built:
                self._built.append(build())
            return self._built[0]


def kept(network: Any, key: Hashable, build: Callable[[], Any]) -> Any:
    """Return what was built for a network under a key, so that a compiled function is traced once.

    It lives and dies with the network; the least recently used of more than `KEPT_FUNCTIONS` is let go.

    Args:
        network: A loaded network or a model.
        key: What it is, including everything that tracing depends on (layer, method, batch size).
        build: Called without arguments, once; it may itself ask for something kept. It must not wait for a network's
            lock: whoever holds that may be waiting here for what is being built.
    """
    store: OrderedDict[Hashable, _Once]
    with _kept_functions_lock:
        # Past Keras' own __setattr__, which would track it.
        store = model_of(network).__dict__.setdefault(_KEPT_ATTRIBUTE, OrderedDict())
        once = store.setdefault(key, _Once())
        store.move_to_end(key)
        while len(store) > KEPT_FUNCTIONS:
            store.popitem(last=False)
    return once.get(build)


_kept: weakref.WeakKeyDictionary[Any, ValueAndGradient] = weakref.WeakKeyDictionary()
_kept_lock = threading.Lock()


def value_and_gradient(function: Scalar, x: Any) -> tuple[float, Any]:
    """Return the value of a scalar function at x, and its gradient d value / d x.

    The same function object called a third time is compiled; to decide yourself, and for the meaning of the
    arguments, see `ValueAndGradient`. Whoever calls a network in the function holds its lock.

    Args:
        function: From a tensor (or list of tensors) to a scalar, written with `keras.ops`.
        x: float array, or list of them.

    Returns:
        (value, gradient) as a float and float32 array(s) of x's shape; zeros where x has no influence.
    """
    with _kept_lock:
        try:
            kept = _kept.get(function)
        except TypeError:  # cannot be hashed or weakly referred to
            kept = ValueAndGradient(function, compiled=False)
        if kept is None:
            # The kept object must not hold the function itself, or neither would ever be let go.
            reference = weakref.ref(function)

            def through(x: Any) -> Any:
                return reference()(x)  # type: ignore[misc]

            kept = _kept[function] = ValueAndGradient(through)
    return kept(x)


class Probed(NamedTuple):
    """A layer's activation and the gradient of a score there.

    Attributes:
        value: The score.
        activation: float32 (n, …), what the layer put out.
        gradient: float32 of the same shape, d score / d activation.
    """

    value: float
    activation: np.ndarray
    gradient: np.ndarray


def probe_gradient(network: Any, batch: np.ndarray, layer: str, score: Scalar) -> Probed:
    """Return dS/dA: how a score would change if a layer's output A were changed.

    A probe of zeros is added to the layer's output by a tap, and the gradient is taken with respect to the
    probe, which is exact for every kind of network. For a layer that is called several times the path says
    which call is meant ("name#2").

    Args:
        network: A loaded network or a keras.Model. Its lock is held meanwhile.
        batch: The prepared input (n, …).
        layer: Path of the layer.
        score: From the network's output to a scalar, written with `keras.ops`.

    Returns:
        Score, activation and gradient.

    Raises:
        KeyError: with a sentence, if there is no such layer.
    """
    with lock_of(network):
        inputs = keras.ops.convert_to_tensor(np.asarray(batch, dtype=np.float32))
        activation = _activation(network, inputs, layer)

        def of_probe(probe: Any) -> Any:
            def see(path: str, tensor: Any) -> Any:
                return tensor + keras.ops.cast(probe, tensor.dtype) if path == layer else None

            with tapped(network, see, wanted=[layer]) as model:
                return score(model(inputs))

        value, gradient = ValueAndGradient(of_probe, compiled=False)(np.zeros_like(activation))
    return Probed(value, activation, gradient)


def _activation(network: Any, inputs: Any, layer: str) -> np.ndarray:
    found: list[np.ndarray] = []

    def see(path: str, tensor: Any) -> None:
        if path == layer:
            found.append(as_array(tensor))
            raise Enough

    with without_gradients(), tapped(network, see, wanted=[layer]) as model, contextlib.suppress(Enough):
        model(inputs)
    if not found:
        raise KeyError(f"The network has no layer {layer!r} that was called.")
    return found[0]


def input_gradient(network: Any, batch: np.ndarray, score: Scalar) -> tuple[float, np.ndarray]:
    """Return a score of the network's output, and its gradient with respect to the prepared input (n, …)."""
    with lock_of(network):
        model = model_of(network)
        return ValueAndGradient(lambda x: score(model(x)), compiled=False)(np.asarray(batch, np.float32))


@functools.cache
def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as facts:
            for line in facts:
                if line.startswith("model name"):
                    return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory() -> int | None:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return None


def device_seen() -> Device:
    """Return what the backend computes on: the first GPU that it sees, else the CPU. It is looked for once."""
    return _device_of(keras.backend.backend())


@functools.cache
def _device_of(backend: str) -> Device:
    return _DEVICES[backend]() or Device("CPU", _cpu_name(), _memory())


def device_label() -> str:
    """Return what the networks of this process run on, such as "CPU, 2 cores"."""
    device = device_seen()
    if device.kind != "CPU":
        return f"{device.kind}: {device.name}"
    usable = getattr(os, "sched_getaffinity", None)
    cores = get_settings().worker_threads or (len(usable(0)) if usable else os.cpu_count() or 1)
    return f"CPU, {cores} core{'' if cores == 1 else 's'}"


def _tensorflow_device() -> Device | None:
    import tensorflow as tf

    found = tf.config.list_physical_devices("GPU")
    if not found:
        return None
    name = tf.config.experimental.get_device_details(found[0]).get("device_name", "GPU")
    return Device("GPU", name, _nvidia_memory())


def _jax_device() -> Device | None:
    import jax

    device = jax.devices()[0]
    if device.platform == "cpu":
        return None
    return Device("GPU", device.device_kind, _nvidia_memory())


def _torch_device() -> Device | None:
    import torch

    if torch.cuda.is_available():
        facts = torch.cuda.get_device_properties(0)
        return Device("GPU", facts.name, int(facts.total_memory))
    if torch.backends.mps.is_available():
        return Device("GPU", "Apple GPU", _memory())
    return None


def _nvidia_memory() -> int | None:
    """Ask NVIDIA's own tool: TensorFlow and JAX only tell how much they have reserved."""
    import subprocess

    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "0").split(",")[0] or "0"
    command = ["nvidia-smi", f"--id={visible}", "--query-gpu=memory.total", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout
        return int(answer.split()[0]) * 2**20
    except (OSError, ValueError, IndexError, subprocess.SubprocessError):
        return None


_DEVICES: dict[str, Callable[[], Device | None]] = {
    "tensorflow": _tensorflow_device,
    "jax": _jax_device,
    "torch": _torch_device,
}
