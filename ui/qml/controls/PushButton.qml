// A button with words; `primary` for the one thing to do next.
import QtQuick
import QtQuick.Controls.Basic
import Hearth

Button {
    id: control

    property bool primary: false
    property bool flatLook: false
    readonly property color inkColor: primary ? Theme.accentText : flatLook ? Theme.accent : Theme.text

    Accessible.name: text
    font.pixelSize: Theme.controlSize
    leftPadding: flatLook ? 8 : 14
    rightPadding: leftPadding
    topPadding: flatLook ? 4 : 8
    bottomPadding: topPadding
    opacity: enabled ? 1 : 0.45
    focusPolicy: Qt.StrongFocus
    palette.buttonText: inkColor
    palette.brightText: inkColor
    icon.width: Theme.iconSize
    icon.height: Theme.iconSize
    icon.color: inkColor
    spacing: 8

    background: Rectangle {
        radius: Theme.radius
        color: control.primary ? (control.hovered || control.down ? Theme.accentHover : Theme.accent)
             : control.down ? Theme.pressed
             : control.hovered ? Theme.hover
             : control.flatLook ? "transparent" : Theme.surface
        border.width: control.primary || control.flatLook ? 0 : 1
        border.color: Theme.border

        FocusRing { shown: control.visualFocus }
    }
}
