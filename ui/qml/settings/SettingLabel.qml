import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

Label {
    font.pixelSize: Theme.controlSize
    color: Theme.text
    wrapMode: Text.Wrap
    Layout.fillWidth: true
    Layout.bottomMargin: -8
}
