# The commands of oz-install on a node. POSIX sh; called as
#   sh -c 'THIS FILE' oz-install COMMAND INSTALL_DIR [ARGUMENT ...]
# Layout of INSTALL_DIR: current -> generations/N, generations/N (bundle, manifest, record.json, shown/),
# state/jobs/NAME (digest of a finished job, and what it filled: see binding), journal (one line per step), lock/, data/.
set -u
command=$1 dir=$2
shift 2
[ "$command" = under_lock ] || umask 077  # what an engine makes, it makes as if the login had called it

RECORD=record.json  # in the folder of a generation
STALE_MINUTES=30  # a lock that was not refreshed for so long is no longer valid
ENGINE_SECONDS=20  # an engine that does not answer a read within this time hangs

section() { printf '\n@%s\n' "$1"; }

journal() {
  [ -d "$dir" ] && { printf '%s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$*" >> "$dir/journal"; } 2>/dev/null
  return 0
}

# put TEXT FILE: write a file; the shell's own printf does not say why it cannot, such as a full disk
put() { printf '%s' "$1" | cat > "$2"; }

fail() { printf '%s\n' "$1" >&2; exit "${2:-1}"; }

owned() {  # RUN: exit unless this run holds the lock; refresh the lock
  [ "$(cat "$dir/lock/run" 2>/dev/null)" = "$1" ] || fail "this run no longer holds the lock" 5
  touch "$dir/lock/run"
}

# under_lock RUN WHAT COMMAND [ARGUMENT ...]: run a command that changes the node, only if this run holds the lock
under_lock() { owned "$1"; journal "$2"; shift 2; "$@"; }

# facts ENGINE DIGEST [IMAGE ...]: print all facts that a plan needs; details only if DIGEST is empty or not installed
facts() {
  engine=$1 wanted=$2; shift 2
  digest='com.ozforensics.oz-install.digest'
  case $engine in
    podman) label="{{index .Labels \"$digest\"}}" project='{{index .Labels "com.docker.compose.project"}}' ;;
    *) label="{{.Label \"$digest\"}}" project='{{.Label "com.docker.compose.project"}}' ;;
  esac
  section containers
  if command -v $engine > /dev/null; then
    listed=$(timeout $ENGINE_SECONDS $engine ps -a --no-trunc --filter label=com.docker.compose.project=oz \
      --format "{{.Names}}	{{.Status}}	$label	{{.Image}}	{{.ID}}" 2>&1)
    status=$?
  else
    listed="$engine: not found"
    status=127
  fi
  printf '%s\n' "$listed"
  [ $status -ne 143 ] || status=124  # busybox exits with this status
  [ $status -ne 124 ] || echo "it did not answer within $ENGINE_SECONDS s"
  section engine-status; echo $status
  section link; readlink "$dir/current"
  section record; cat "$dir/current/$RECORD" 2>/dev/null
  section lock; cat "$dir/lock/owner" 2>/dev/null
  section holder; [ ! -d "$dir/lock" ] || holder
  section partial
  for one in "$dir"/generations/*.partial; do [ ! -d "$one" ] || echo "${one##*/}"; done
  section journal; [ ! -f "$dir/journal" ] || wc -c < "$dir/journal"
  section good; cat "$dir/state/good" 2>/dev/null
  section verified; cat "$dir/state/verified" 2>/dev/null
  section jobs
  for job in "$dir"/state/jobs/*; do
    [ -f "$job" ] || continue
    bound "$job"
    kept || digest=lost
    printf '%s %s\n' "${job##*/}" "$digest"
  done
  section files
  if cd "$dir/current" 2>/dev/null; then
    find . -type f ! -path "./$RECORD" ! -path ./manifest ! -path './shown/*' -exec sha256sum {} +
    find . -type f ! -path "./$RECORD" ! -path ./manifest ! -path './shown/*' ! -perm 0644 -exec printf 'mode %s\n' {} \;
    cd /
  fi
  if [ -z "$wanted" ] || ! grep -q "\"digest\": \"$wanted\"" "$dir/current/$RECORD" 2>/dev/null; then details "$@"; fi
  section end
}

# holder: print whose lock it is, and whether nobody has refreshed it for long
holder() {
  echo "run $(cat "$dir/lock/run" 2>/dev/null)"
  echo "process $(cat "$dir/lock/process" 2>/dev/null)"
  recent "$STALE_MINUTES" || echo stale
}

# recent MINUTES: whether the lock was made or refreshed since; a new one has no files yet, so its folder counts too
recent() { [ -n "$(find "$dir/lock" -maxdepth 1 -mmin "-$1" 2>/dev/null)" ]; }

# bound FILE: read the digest of a finished job, and what it filled
bound() {
  digest= kind= name= volume= id= identity= print=
  { read -r digest; read -r kind name volume id identity; read -r print; } < "$1" || :
}

# kept: whether what the job of "bound" filled is still there. A volume stays while its container does; the data of
# another container are known by their identity, and without a running container only a missing volume is certain
kept() {
  case $kind in
    folder) [ -d "$dir/$name" ] && { [ ! -r "$dir/$name" ] || [ -n "$(ls -A "$dir/$name")" ]; } ;;
    container)
      [ $status -eq 0 ] || return 0
      case $listed in *"$id"*) return 0 ;; esac
      ! now=$(identity_of "$name" "$print") || { [ "$now" = "$identity" ]; return; }
      ! LC_ALL=C timeout $ENGINE_SECONDS $engine volume inspect "$volume" 2>&1 | grep -qi 'no such volume'
      ;;
  esac
}

# identity_of CONTAINER SHELL: print what the data of a running container are known by
identity_of() {
  found=$(timeout $ENGINE_SECONDS $engine exec "$1" sh -c "$2" 2>/dev/null | tr -dc '[:alnum:]' | cut -c 1-64)
  [ -n "$found" ] && echo "$found"
}

# binding ENGINE [container NAME VOLUME SHELL | folder PATH]: print what a job has filled, for its file
binding() {
  engine=$1
  case ${2:-} in
    folder) printf '\nfolder %s' "$3" ;;
    container)
      id=$($engine container inspect --format '{{.Id}}' "$3" 2>/dev/null) && identity=$(identity_of "$3" "$5") &&
        printf '\ncontainer %s %s %s %s\n%s' "$3" "$4" "$id" "$identity" "$5"
      ;;
  esac
}

# whole FOLDER: check every file against the manifest and print those that differ. Judged by exit status: sha256sum's
# words are translated, and busybox has neither --quiet nor --strict
whole() (
  cd "$1" && lines=$(grep -c . manifest) && sound=$(grep -cE '^[0-9a-f]{64}  .' manifest) && [ "$lines" -eq "$sound" ] || {
    echo "the manifest is broken"
    return 1
  }
  ! sha256sum -c manifest > /dev/null 2>&1 || return 0
  while IFS= read -r line; do
    printf '%s\n' "$line" | sha256sum -c > /dev/null 2>&1 || echo "${line#*  }: differs from the manifest"
  done < manifest
  return 1
)

# asked ARGUMENTS: run the engine, unless it has failed to answer before
asked() { [ $status -eq 0 ] && timeout $ENGINE_SECONDS $engine "$@"; }

details() {
  section user; id -u
  section os; uname -sr; (. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME")
  section engine-version
  case $engine:$($engine --version 2>/dev/null) in
    docker:*[Pp]odman*) echo "the command docker is Podman's emulation" ;;
    *) asked version --format '{{.Server.Version}}' 2>&1 || $engine --version ;;
  esac
  # run only the Compose of this engine: even its version command makes Podman create a folder in the home folder
  section compose-plugin; [ "$engine" = podman ] || docker compose version --short 2>/dev/null
  section compose-v1; [ "$engine" = podman ] || docker-compose version --short 2>/dev/null
  section podman-compose; [ "$engine" != podman ] || podman-compose --version 2>/dev/null
  section images
  [ $# -eq 0 ] || asked image inspect --format '{{join .RepoTags " "}} {{join .RepoDigests " "}}' "$@" 2>/dev/null
  section volumes; asked volume ls -q --filter label=com.docker.compose.project=oz 2>/dev/null || echo unknown
  section names
  asked ps -a --format "{{.Names}}	$project	$label" 2>/dev/null
  section generations; ls "$dir/generations" 2>/dev/null
  section folders; (cd "$dir/data" 2>/dev/null && ls)
  section disk
  parent=$dir
  while [ ! -d "$parent" ]; do parent=$(dirname "$parent"); done
  df -Pk "$parent" | tail -1
  section access; access "$parent"
}

# access FOLDER: print "ok", or why FOLDER is not writable: "read-only FOLDER" (its file system), "denied FOLDER"; or
# "blocked LINK", where a folder is in the way of the link
access() {
  if [ -d "$dir/current" ] && [ ! -L "$dir/current" ]; then echo "blocked $dir/current"; return; fi
  if [ -r "$1" ] && [ -w "$1" ] && [ -x "$1" ]; then echo ok; return; fi
  mounted=$(df -P "$1" 2>/dev/null | tail -1); mounted=${mounted##* }
  if awk -v at="$mounted" '$2 == at { options = $4 } END { exit options !~ /^ro(,|$)/ }' /proc/mounts; then
    echo "read-only $1"
  else
    echo "denied $1"
  fi
}

# lock RUN OWNER PROCESS DEAD [GENERATION JOURNAL]: take the lock; it remembers whether the install folder was made for
# it, and the folders of stage. A stale lock is taken over, and the lock of the run DEAD at once («over»); its last
# commands end first. Status 5: another run holds it; print its run and process. Status 6: GENERATION is no longer the
# current one, or the journal has no longer JOURNAL bytes: another run has changed the node.
lock() {
  made= over=
  if [ ! -d "$dir" ]; then
    mkdir -p "$dir" || exit 1
    made=made
  fi
  if ! error=$(mkdir "$dir/lock" 2>&1); then
    [ -w "$dir" ] && [ -d "$dir/lock" ] || fail "$dir cannot be written: $error" 1
    over=over
    take_over "$1" "$4"
    echo over
  fi
  if put "$2
" "$dir/lock/owner" && put "$3
" "$dir/lock/process" && put "$1
" "$dir/lock/run"
  then
    if [ $# -gt 4 ]; then
      link=$(readlink "$dir/current")
      if [ "${link##*/}" != "$5" ]; then rm -rf "$dir/lock"; fail "the current generation is now ${link:-none}" 6; fi
      bytes=$([ ! -f "$dir/journal" ] || wc -c < "$dir/journal")
      if [ "${bytes:-0}" -ne "${6:-0}" ]; then
        rm -rf "$dir/lock"
        fail "its last step was: $(tail -n 1 "$dir/journal" 2>/dev/null)" 6
      fi
    fi
    [ -z "$made" ] || : > "$dir/lock/made"
    journal "locked by $2"
    [ -z "$over" ] || (wait_idle 2> /dev/null) || :
  else
    rm -rf "$dir/lock"
    [ -z "$made" ] || rmdir "$dir"
    exit 1
  fi
}

# take_over RUN DEAD: put a new lock in place of one that is stale or of the run DEAD, or exit with status 5
take_over() {
  held=$(cat "$dir/lock/run" 2>/dev/null)
  if { [ -z "$2" ] || [ "$held" != "$2" ]; } && recent "$STALE_MINUTES"; then
    holder
    fail "$(cat "$dir/lock/owner" 2>/dev/null || echo 'it has just begun')" 5
  fi
  mv "$dir/lock" "$dir/lock.$1" 2>/dev/null || fail "another run has just begun" 5  # one of several wins
  if [ "$(cat "$dir/lock.$1/run" 2>/dev/null)" != "$held" ]; then  # another run took it over a moment before
    mv -T "$dir/lock.$1" "$dir/lock" 2>/dev/null
    fail "another run has just begun" 5
  fi
  if [ -e "$dir/lock.$1/made" ]; then made=made; fi
  rm -rf "$dir/lock.$1"
  mkdir "$dir/lock" 2>/dev/null || fail "another run has just begun" 5
}

# wait_idle [ENGINE]: wait until no command of a dead run is running, and until ENGINE answers and has stopped what it was
# asked to stop, for about a minute at most. Status 1: it is not quiet by then; the reason is on stderr
wait_idle() {
  engine=${1:-} tries=0
  while why=$(busy); [ -n "$why" ]; do
    [ $tries -lt 30 ] || fail "$why"
    tries=$((tries + 1))
    sleep 2
  done
}

busy() {
  if at_work; then echo 'a command of oz-install is still running'; elif [ -n "$engine" ]; then stopping; fi
}

# stopping: say why the engine is not quiet. It goes on with a stop whose client has died, and shows that only in its
# events: a signal that ends a container, and no end of it yet
stopping() {
  timeout $ENGINE_SECONDS $engine ps -q > /dev/null 2>&1 || { echo "$engine does not answer"; return; }
  [ "$engine" = docker ] || return 0
  timeout $ENGINE_SECONDS docker events --since 2m --until "$(date +%s)" --filter type=container \
    --filter label=com.docker.compose.project=oz --filter event=kill --filter event=die \
    --format '{{.Action}} {{.Actor.Attributes.name}} {{.Actor.Attributes.signal}}' 2> /dev/null |
    awk '$1 == "die" { delete asked[$2] }
      $1 == "kill" && $3 != 1 && $3 != 10 && $3 != 12 && $3 != 28 { asked[$2] = 1 }
      END { for (name in asked) print "the engine still stops " name }'
}

at_work() {
  for process in $(grep -ls -e compose -e oz-install /proc/[0-9]*/cmdline); do
    called=$(tr '\0' ' ' 2>/dev/null < "$process")
    case $called in
      *oz-install\ under_lock\ "$dir"\ * | *oz-install\ stage\ "$dir"\ *) return 0 ;;
      *oz-install*) ;;  # this script itself
      *compose\ -p\ oz\ *"$dir/current"*) return 0 ;;
    esac
  done
  return 1
}

# refresh_lock RUN: refresh the lock while the run waits for something else
refresh_lock() { owned "$1"; }

# unlock RUN: release the lock; also remove an install folder that was made for it and is empty
unlock() {
  [ "$(cat "$dir/lock/run" 2>/dev/null)" = "$1" ] || exit 0
  if [ -e "$dir/lock/made" ]; then made=made; else made=; fi
  rm -rf "$dir/lock"
  if [ ! -e "$dir/current" ] && [ ! -d "$dir/generations" ]; then
    rm -f "$dir/journal"; rmdir "$dir/state/jobs" "$dir/state" "$dir/data" 2>/dev/null
    [ -z "$made" ] || rmdir "$dir" 2>/dev/null
  fi
  return 0
}

# clear RUN OWNER PROCESS DEAD: remove what a dead run left: its lock, and generations that it had not finished sending
clear() {
  lock "$@"
  journal "clear"
  rm -rf "$dir"/generations/*.partial "$dir/current.new"
  rmdir "$dir/generations" 2>/dev/null
  unlock "$1"
}

# stage RUN GENERATION COMPOSE [--remove FILE | --folder FOLDER]...  < tar
# Build the next generation from a copy of the current one and the changed files, and check it. Does not switch.
stage() {
  owned "$1"; generation=$2 compose=$3 option=; shift 3
  set -e
  journal "stage $generation"
  new=$dir/generations/$generation.partial
  rm -rf "$dir"/generations/*.partial
  mkdir -p "$new" "$dir/state/jobs"
  if [ -d "$dir/current/" ]; then cp -a "$dir/current/." "$new/"; fi
  for part in "$@"; do  # options are pairs; folders are created last, after everything that can fail
    case $option in
      --remove) rm -f "$new/$part" "$new/shown/$part"; option= ;;
      --folder) option= ;;
      *) option=$part ;;
    esac
  done
  # an engine creates a folder in place of a missing mounted file; not every tar replaces a folder by a file
  find "$new" -depth -type d ! -path "$new" -exec rmdir {} + 2>/dev/null || :
  tar -xpf - -C "$new" --no-same-owner
  whole "$new" >&2
  accepted "$compose" "$new"
  while [ $# -gt 0 ]; do
    if [ "$1" = --folder ] && [ ! -d "$dir/$2" ]; then
      printf '%s\n' "$2" >> "$dir/lock/folders"
      (umask 022; mkdir -p "$dir/$2")
    fi
    shift 2
  done
  # Containers mount what is below by itself; a login of the node must not read the media.
  if [ -d "$dir/data" ]; then chmod 700 "$dir/data" 2>/dev/null || :; fi
}

# accepted COMPOSE FOLDER: check that Compose accepts the files
accepted() {
  compose=$1 folder=$2
  set --
  for file in compose.yaml jobs.yaml; do
    if [ -f "$folder/$file" ]; then set -- "$@" -f "$folder/$file"; fi
  done
  case $compose in
    podman-compose) podman-compose -p oz "$@" config > /dev/null ;;
    *) $compose -p oz --project-directory "$folder" "$@" config -q ;;
  esac
}

# switch RUN GENERATION: make the staged generation the current one, atomically
switch() {
  owned "$1"
  set -e
  journal "switch $2"
  rm -rf "$dir/generations/$2"
  mv "$dir/generations/$2.partial" "$dir/generations/$2"
  point "$2"
}

point() {
  ln -sfn "generations/$1" "$dir/current.new" &&
  mv -T "$dir/current.new" "$dir/current"
}

# switch_back RUN GENERATION PREVIOUS: undo a switch; PREVIOUS is empty when there was none
switch_back() {
  owned "$1"
  journal "back from $2 to ${3:-nothing}"
  if [ -n "$3" ]; then
    [ -d "$dir/generations/$3" ] || fail "the generation $3 no longer exists"
    point "$3" || exit 1
  else
    rm -f "$dir/current"
  fi
  rm -rf "$dir/generations/$2" "$dir/generations/$2.partial"
  rmdir "$dir/generations" 2>/dev/null
  return 0
}

# unstage RUN GENERATION: undo a stage, and remove the folders that it created
unstage() {
  owned "$1"
  rm -rf "$dir/generations/$2.partial"
  if [ -f "$dir/lock/folders" ]; then
    while read -r folder; do rm -rf "${dir:?}/${folder:?}"; done < "$dir/lock/folders"
    rm -f "$dir/lock/folders"
  fi
  rmdir "$dir/generations" "$dir/data" "$dir/state/jobs" "$dir/state" 2>/dev/null
  return 0
}

# mark_job_done RUN JOB DIGEST ENGINE [...]: mark a job as done, bound to what it filled; unmark_job RUN JOB: unmark it
mark_job_done() {
  owned "$1"; job=$2 digest=$3; shift 3
  mkdir -p "$dir/state/jobs" && put "$digest$(binding "$@")" "$dir/state/jobs/$job" && journal "finished $job"
}
unmark_job() { owned "$1"; rm -f "$dir/state/jobs/$2"; }

# rebind ENGINE: bind finished jobs to the container that now has what they filled
rebind() {
  engine=$1
  for job in "$dir"/state/jobs/*; do
    [ -f "$job" ] || continue
    bound "$job"
    [ "$kind" = container ] || continue
    [ "$id" != "$($engine container inspect --format '{{.Id}}' "$name" 2>/dev/null)" ] || continue
    [ "$identity" != "$(identity_of "$name" "$print")" ] ||
      put "$digest$(binding "$engine" container "$name" "$volume" "$print")" "$job"
  done
}

# mark_verified RUN DIGEST KEEP PREVIOUS ENGINE: mark the bundle with this digest as verified, and its generation as the
# one to go back to, and bind jobs again. Then delete old generations beyond KEEP, but never the current one and
# PREVIOUS: a rollback needs them; and the project's networks that no container has any more
mark_verified() {
  owned "$1"
  rebind "$5"
  now=$(readlink "$dir/current")
  mkdir -p "$dir/state" && put "$2" "$dir/state/verified" && put "${now##*/}" "$dir/state/good" && journal verified ||
    return
  ls "$dir/generations" 2>/dev/null | sort -r | tail -n "+$(($3 + 1))" | while read -r old; do
    if [ "$old" != "${now##*/}" ] && [ "$old" != "$4" ]; then rm -rf "$dir/generations/$old"; fi
  done
  timeout $ENGINE_SECONDS "$5" network prune --force --filter label=com.docker.compose.project=oz > /dev/null 2>&1 || :
}

# unmark_verified RUN DIGEST GOOD: mark what was verified before, and the generation to go back to; empty: none
unmark_verified() {
  owned "$1"
  if [ -n "$2" ]; then put "$2" "$dir/state/verified"; else rm -f "$dir/state/verified"; fi || return
  if [ -n "$3" ]; then put "$3" "$dir/state/good"; else rm -f "$dir/state/good"; fi
}

case $command in
  facts|lock|refresh_lock|under_lock|wait_idle|unlock|clear|stage|switch|switch_back|unstage|mark_job_done|unmark_job) "$command" "$@" ;;
  mark_verified|unmark_verified) "$command" "$@" ;;
  *) fail "unknown command $command" 2 ;;
esac
