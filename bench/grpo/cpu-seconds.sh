#!/bin/bash
# Processor seconds per step of either side, for a busy machine: those of N + 2 steps less those of 2, so that loading does not count.
#
#     bench/grpo/cpu-seconds.sh N COMMAND…       e.g. … 6 npx tsx bench/grpo/ours.ts CHECKPOINT --threads 1
seconds() { bash -c 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>/dev/null' _ "$@" 2>&1 | tail -1; }
steps=$1
shift
before=$(seconds "$@" --steps 2)
after=$(seconds "$@" --steps $((steps + 2)))
echo "$before $after $steps" | awk '{printf "%.3f processor seconds per step\n", ($3 + $4 - $1 - $2) / $5}'
