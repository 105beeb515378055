// One line of text.
import QtQuick
import QtQuick.Controls.Basic
import Hearth

TextField {
    id: control

    implicitHeight: Theme.controlHeight
    font.pixelSize: Theme.controlSize
    color: Theme.text
    placeholderTextColor: Theme.mutedText
    selectionColor: Theme.selection
    selectedTextColor: Theme.text
    selectByMouse: true
    leftPadding: 10
    rightPadding: 10

    background: Rectangle {
        radius: Theme.radius
        color: Theme.surface
        border.width: control.activeFocus ? 2 : 1
        border.color: control.activeFocus ? Theme.accent : Theme.fieldBorder
    }
}
