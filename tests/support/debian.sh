#!/bin/sh
# Programs that tests need and no registry of packages for Python or Node has: from Debian's mirror, unpacked into FOLDER.
# Nothing is installed, and no root is needed. For Debian on amd64; elsewhere put the programs on the PATH.
#   sh tests/support/debian.sh FOLDER PACKAGE...     then FOLDER/NAME runs each program NAME of these packages
set -eu
[ $# -gt 1 ] || { echo 'usage: debian.sh FOLDER PACKAGE...' >&2; exit 2; }
[ "$(dpkg --print-architecture)" = amd64 ]
keys=/usr/share/keyrings/debian-archive-keyring.gpg
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 -E '/debian/?$')
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
work=$folder/work
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/debs" "$folder/root"
: >"$work/status"
echo "deb [signed-by=$keys] $mirror trixie main" >"$work/sources.list"

# Apt with a state of its own, in which nothing is installed: so it names all that a program needs, its loader too.
apt() {
  command apt-get -qq -o "Dir::State=$work" -o "Dir::State::status=$work/status" -o "Dir::State::lists=$work/lists" \
    -o "Dir::Cache=$work" -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- \
    -o APT::Architecture=amd64 -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any -o Acquire::Retries=1 \
    -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 "$@"
}

apt update
needed=$(apt -s --no-install-recommends install "$@" | sed -n 's/^Inst \([^ ]*\) .*/\1/p' |
  grep -vE '^(adduser|passwd|debconf|init-system|perl|python|libpython|libjs-|fonts-|login|base-|sysvinit|systemd|ssl-cert|postgresql-common)')
# shellcheck disable=SC2086
(cd "$work/debs" && apt download $(printf '%s\n' $needed "$@" | sort -u))
for package in "$work"/debs/*.deb; do
  dpkg-deb -x "$package" "$folder/root"
done
for package in "$@"; do
  programs=$(dpkg-deb -c "$work/debs/$package"_*.deb | sed -n 's#^[-l]rwx.* \./\(usr/s\{0,1\}bin/[^/ ]*\)\( -> .*\)\{0,1\}$#\1#p')
  for program in $programs; do
    name=$(basename "$program")
    cat >"$folder/$name" <<RUN
#!/bin/sh
root=\$(dirname "\$0")/root
exec "\$root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" --library-path "\$root/usr/lib/x86_64-linux-gnu" \\
  "\$root/$program" "\$@"
RUN
    chmod +x "$folder/$name"
  done
done
rm -rf "$work"
