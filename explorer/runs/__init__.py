"""Training runs: a run is a folder, and the folders are the queue.

Pressing *start* writes a folder in state `queued` (`folder`, `waiting`). One `dispatcher` per installation starts the
oldest waiting run when a slot is free; `supervise` starts one fresh process for it (`child`) and watches it to its
end; the process trains what `tasks` names. Whoever writes a run's status holds the run's lock, which the system frees
when its holder dies: so no state outlives what it says, and nothing here trusts process ids.

    runs/<yyyymmdd-hhmmss>-<6 hex>/
        config.json     what was asked for; never changes
        status.json     where it stands; replaced as a whole
        title.txt       what it is called by now, where it has been renamed
        metrics.jsonl   one line a report, appended
        previews/       NNNN.png        log.txt     what the process said
        model.keras     replaced as a whole
        wishes.json     what the page asks of it while it runs      stop    "please stop"      heard   "I am at it"
        lock, heartbeat, spare          for the machinery

Nothing here imports Keras except tasks, `standby` and what they are run in.
"""
