#!/bin/sh
# A real Bitcoin node for the tests: Debian's bitcoin-knots (trixie-backports), unpacked into FOLDER with its own loader.
# Nothing is installed. For Debian on amd64, from the mirror that its apt uses; elsewhere put bitcoind on the PATH.
#   sh tests/support/bitcoind.sh FOLDER     some 20 MB to fetch; then FOLDER/bitcoind runs as usual
set -eu
[ $# = 1 ] || { echo 'usage: bitcoind.sh FOLDER' >&2; exit 2; }
[ ! -x "$1/bitcoind" ] || exit 0
[ "$(dpkg --print-architecture)" = amd64 ]
keys=/usr/share/keyrings/debian-archive-keyring.gpg
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -m 1 -E '/debian/?$')
mkdir -p "$1"
folder=$(cd "$1" && pwd)
work=$folder/work
rm -rf "$work"
mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/debs" "$folder/root"
: >"$work/status"
for suite in trixie trixie-backports; do
  echo "deb [signed-by=$keys] $mirror $suite main"
done >"$work/sources.list"

# Apt with a state of its own, in which nothing is installed: so it names all that the node needs.
apt() {
  command apt-get -qq -o "Dir::State=$work" -o "Dir::State::status=$work/status" -o "Dir::State::lists=$work/lists" \
    -o "Dir::Cache=$work" -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- \
    -o APT::Architecture=amd64 -o APT::Sandbox::User=root -o APT::Update::Error-Mode=any -o Acquire::Retries=1 \
    -o Acquire::http::Timeout=10 -o Acquire::https::Timeout=10 "$@"
}

apt update
packages=$(apt -s --no-install-recommends -t trixie-backports install bitcoin-knots | sed -n 's/^Inst \([^ ]*\) .*/\1/p' |
  grep -vE '^(adduser|passwd|debconf|init-system|perl|libpam|libaudit|libcap-ng|libselinux|libsemanage|libsepol|login|base-)')
# shellcheck disable=SC2086
(cd "$work/debs" && apt -t trixie-backports download $packages)
for package in "$work"/debs/*.deb; do
  dpkg-deb -x "$package" "$folder/root"
done
cat >"$work/bitcoind" <<'RUN'
#!/bin/sh
root=$(dirname "$0")/root
exec "$root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" --library-path "$root/usr/lib/x86_64-linux-gnu" \
  "$root/usr/bin/bitcoind" "$@"
RUN
chmod +x "$work/bitcoind"
mv "$work/bitcoind" "$folder/bitcoind"
rm -rf "$work"
"$folder/bitcoind" -version | head -n 1
