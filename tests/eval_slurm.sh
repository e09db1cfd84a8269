#!/bin/sh
# An eval as an array of a Slurm of its own on this machine, and its merge as a
# job that depends on it. Skips where Slurm is not installed.
# usage: eval_slurm.sh TERNMARK SOURCE
set -eu
ternmark=$1
model=$2/datasets/models/mini-ternary.gguf
PATH=$PATH:/usr/sbin
for tool in munged mungekey slurmctld slurmd sbatch squeue; do
  command -v $tool >/dev/null || { echo "$tool is not here"; exit 77; }
done
folder=$(mktemp -d)
stop() {
  for pid in slurmd.pid slurmctld.pid munge/pid; do
    [ ! -s "$folder/$pid" ] || kill "$(cat "$folder/$pid")" 2>/dev/null || :
  done
  sleep 1
  rm -rf "$folder"
}
trap stop EXIT
cd "$folder"

cp "$model" model.gguf

mkdir -p munge state spool
chmod 711 . munge
mungekey -c -k munge/key
munged --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" --pid-file="$folder/munge/pid" \
  --log-file="$folder/munge/log" --seed-file="$folder/munge/seed" || { echo "munged does not start here"; exit 77; }
port=$((20000 + $$ % 20000))
host=$(hostname -s) user=$(id -un)
cat >slurm.conf <<END
ClusterName=test
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$user
SlurmdUser=$user
SlurmctldPort=$port
SlurmdPort=$((port + 1))
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CryptoType=crypto/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
NodeName=$host NodeAddr=127.0.0.1 CPUs=2 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES State=UP
END
export SLURM_CONF="$folder/slurm.conf"
if ! slurmctld -c || ! slurmd -c; then
  echo "Slurm does not start here"
  exit 77
fi

command="'$ternmark' eval mini_choice_facts,mini_story_combinations '$folder/model.gguf' --limit 10 --quiet"
cat >array.sh <<END
#!/bin/sh
#SBATCH --array=1-3 --cpus-per-task=1 --output=$folder/%A_%a.out
$command -t "\$SLURM_CPUS_PER_TASK" --shard "\$SLURM_ARRAY_TASK_ID/\$SLURM_ARRAY_TASK_COUNT" --out "$folder/part\$SLURM_ARRAY_TASK_ID"
END
job=$(sbatch --parsable array.sh)
sbatch --dependency="afterok:$job" --output="$folder/merge.out" \
  --wrap "'$ternmark' eval merge --out '$folder/merged' $folder/part1 $folder/part2 $folder/part3" >/dev/null
sh -c "$command --out '$folder/whole'" >/dev/null
tries=0
while [ -n "$(squeue -h)" ] && [ $tries -lt 100 ]; do
  sleep 1
  tries=$((tries + 1))
done
if [ ! -e merged/results.json ]; then
  echo "the array left no merged run after $tries s:"
  squeue
  cat ./*.out slurmctld.log
  exit 1
fi
for file in whole/results.json whole/samples_*.jsonl; do
  cmp "$file" "merged/${file#whole/}" || exit 1
done
echo "array of 3, merged: the undivided run to the byte"
