"""Where work runs: named work on worker processes, with progress, stop and a place in the queue.

The web process (`client`) starts a child (`cluster`), which starts workers (`worker`); work is named (`work`), waits
in one of two lanes where visitors take turns (`turns`), and comes back as a result or one sentence (`call`).

With `CNN_EXPLORER_CLUSTER_ADDRESS` the workers of an existing Dask cluster are used instead. Scheduler and workers
need this code and its requirements, and the weights folder; a lane's workers are told apart by a resource:

    dask worker tls://… --nthreads 1 --resources "quick=1" --preload explorer.engine.worker
    dask worker tls://… --nthreads 1 --resources "long=1" --preload explorer.engine.worker
    dask worker tls://… --nthreads 1 --resources "run=1" --preload explorer.engine.worker

Workers of the last kind take training runs (`placing`). Without resources the first worker serves quick calls and the
others long ones and runs. Certificates are those of Dask's own configuration (`distributed.comm.tls`);
`distributed.scheduler.allowed-failures: 0` keeps Dask from running a call a second time whose worker died.
"""
