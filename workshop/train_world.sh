#!/bin/bash
# soft.sh DATASET...: trains everything of these worlds in /work/wt/worlds, one thread; resumable, commits what is done
cd /work/wt/worlds; . /work/wt/env.sh; export OMP_NUM_THREADS=1
mkdir -p /work/wt/done
step() { # NAME COMMAND...
  local mark=/work/wt/done/$d-$1; shift
  [ -e $mark ] && return 0
  echo "$(date +%T) $d: $*"; nice -n 3 "$@" > $mark.log 2>&1 && touch $mark || { echo "FAILED $d: $*"; exit 1; }
}
for d in "$@"; do
  export HOME=/work/wt/worlds-home-$d; mkdir -p $HOME
  case $d in ffhq) g=; e=;; car) g="--steps 6000"; e="--steps 2000";; *) g="--steps 6000"; e=;; esac
  step generator textedit-bench worlds train generator -d $d $g
  step encoder textedit-bench worlds train encoder -d $d $e
  step discriminator textedit-bench worlds train discriminator -d $d
  for m in styleclip-global styleclip-mapper ffclip clip2gan deltaedit styleflow ppe $([ $d = ffhq ] && echo hairclip); do
    step $m textedit-bench train -m $m -d $d -t mini --folder /work/wt/worlds-ck
  done
  step check textedit-bench worlds check -d $d --write-readme
  flock /work/wt/worlds.lock bash -c "git add -A methods datasets && git commit -qm 'Soft world of $d: networks and methods' && git log --oneline | head -1"
done
