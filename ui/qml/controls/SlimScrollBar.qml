import QtQuick
import QtQuick.Controls.Basic
import Hearth

ScrollBar {
    id: control

    implicitWidth: 10
    padding: 2
    minimumSize: 0.05
    focusPolicy: Qt.NoFocus

    contentItem: Rectangle {
        implicitWidth: 6
        implicitHeight: 6
        radius: 3
        color: Theme.mutedText
        opacity: control.policy === ScrollBar.AlwaysOff || control.size >= 1 ? 0
               : control.pressed ? 0.8 : control.hovered ? 0.6 : 0.35
    }
}
