#!/bin/sh
# Chromium for the tests, without a window: Debian's headless shell with fonts, unpacked into FOLDER with its own loader.
# Nothing is installed, and no root is needed. For Debian on amd64; elsewhere put chromium or google-chrome on the PATH.
#   sh tests/support/chromium.sh FOLDER     some 170 MB to fetch; then FOLDER/chromium runs as usual
set -eu
[ $# = 1 ] || { echo 'usage: chromium.sh FOLDER' >&2; exit 2; }
[ ! -x "$1/chromium" ] || exit 0
sh "$(dirname "$0")/debian.sh" "$1" chromium-headless-shell fonts-dejavu-core fonts-dejavu-mono
folder=$(cd "$1" && pwd)
root=$folder/root
rm "$folder/chromium-headless-shell"
# What it loads it looks for beside the program that runs, which is the loader; it starts itself again by this script.
cp "$root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2" "$root/usr/lib/chromium/loader"
cat >"$folder/fonts.conf" <<FONTS
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>$root/usr/share/fonts</dir>
  <cachedir>$folder/fonts</cachedir>
</fontconfig>
FONTS
cat >"$folder/chromium.new" <<'RUN'
#!/bin/sh
folder=$(cd "$(dirname "$0")" && pwd)
libraries=$folder/root/usr/lib/x86_64-linux-gnu
FONTCONFIG_FILE=$folder/fonts.conf
export FONTCONFIG_FILE
exec "$folder/root/usr/lib/chromium/loader" \
  --library-path "$folder/root/usr/lib/chromium:$libraries:$libraries/pulseaudio" \
  "$folder/root/usr/lib/chromium/chromium-headless-shell" \
  --no-zygote --browser-subprocess-path="$folder/chromium" "$@"
RUN
chmod +x "$folder/chromium.new"
mv "$folder/chromium.new" "$folder/chromium"
