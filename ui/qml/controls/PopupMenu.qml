import QtQuick
import QtQuick.Controls.Basic
import Hearth

Menu {
    id: menu

    property int itemWidth: 240

    padding: 5
    overlap: 2

    background: Rectangle {
        implicitWidth: menu.itemWidth
        radius: Theme.radius + 2
        color: Theme.surface
        border.width: 1
        border.color: Theme.border
    }
}
