# The desktop entry and the AppStream metainfo are valid.
folder=$1
command -v desktop-file-validate >/dev/null && command -v appstreamcli >/dev/null || {
  echo "SKIP: desktop-file-validate or appstreamcli is not installed"; exit 77; }
set -e
desktop-file-validate "$folder/org.hearth.Hearth.desktop"
appstreamcli validate --no-net --explain "$folder/org.hearth.Hearth.metainfo.xml"
