#!/bin/bash
# A sweep on Slurm: one dask scheduler, one worker for each task of the job, and the command that drives them.
#
#     sbatch --ntasks=64 --time=12:00:00 examples/slurm-sweep.sh recipes/sweep-example.toml runs/big [more options]
#
# Everything after the sweep file and the directory goes to `barkhausen sweep` (--data-dir DIR, --set key=value).
# The directory and the data must be on a file system that all nodes share. After the time limit, submit the
# same sbatch line again to resume.
#
#SBATCH --job-name=barkhausen-sweep
#SBATCH --cpus-per-task=1
#SBATCH --signal=B:TERM@60

set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: sbatch [options] $0 SWEEP.toml DIR [more options of barkhausen sweep]" >&2
    exit 2
fi
sweep=$1
out=$2
shift 2

# Threads of a task: threads in the sweep file should be the same number.
threads=${SLURM_CPUS_PER_TASK:-1}
export OMP_NUM_THREADS=$threads MKL_NUM_THREADS=$threads OPENBLAS_NUM_THREADS=$threads
# A worker may die (preempted, out of memory) under a task twenty times before the task counts as failed.
export DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES=20

# Where all nodes see it.
mkdir -p "$(dirname "$out")"
file=$(dirname "$out")/.scheduler-${SLURM_JOB_ID:-$$}.json
command=

cleanup() {
    # First the command, so that its table says how far it came; Slurm ends workers with the job.
    if [ -n "$command" ]; then kill -TERM "$command" 2>/dev/null && wait "$command" || true; fi
    kill "$workers" "$scheduler" 2>/dev/null || true
    rm -f "$file"
}

dask scheduler --scheduler-file "$file" --port 0 --dashboard-address :0 &
scheduler=$!
# One thread each: a worker does one task at a time, and the task has $threads threads of its own.
srun --cpus-per-task="$threads" dask worker --scheduler-file "$file" --nthreads 1 --no-nanny --memory-limit 0 \
    --death-timeout 120 --local-directory "${TMPDIR:-/tmp}" &
workers=$!
trap cleanup EXIT
trap 'exit 143' TERM

for _ in $(seq 120); do
    if [ -s "$file" ]; then break; fi
    sleep 1
done
address=$(python -c 'import json, sys; print(json.load(open(sys.argv[1]))["address"])' "$file")

barkhausen sweep "$sweep" --scheduler "$address" --out "$out" "$@" &
command=$!
# Bash takes signals between commands only, and while it waits.
code=0
wait "$command" || code=$?
command=
exit "$code"
