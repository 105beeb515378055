// One conversation of the list. Its title is edited in place.
import QtQuick
import QtQuick.Controls.Basic
import Hearth

Item {
    id: row

    required property int index
    required property var conversationId
    required property string title
    property bool current: false
    property bool listFocused: false
    readonly property bool renaming: editor.visible
    signal opened()
    signal renamed(string title)
    signal renameEnded()
    signal removed()

    function beginRename() {
        editor.text = row.title
        editor.visible = true
        editor.forceActiveFocus()
        editor.selectAll()
    }
    function endRename(keep) {
        if (!editor.visible)
            return
        editor.visible = false
        editor.focus = false
        if (keep && editor.text.trim() !== "" && editor.text !== row.title)
            row.renamed(editor.text)
        row.renameEnded()
    }
    function openMenu() {
        menu.popup(row, 24, row.height - 4)
    }

    height: Theme.controlHeight + 4
    Accessible.role: Accessible.ListItem
    Accessible.name: title
    Accessible.selected: current
    Accessible.onPressAction: row.opened()

    Rectangle {
        anchors.fill: parent
        anchors.leftMargin: 8
        anchors.rightMargin: 8
        anchors.topMargin: 1
        anchors.bottomMargin: 1
        radius: Theme.radius
        color: row.current ? Theme.pressed : hover.hovered ? Theme.hover : "transparent"

        FocusRing { shown: row.listFocused; anchors.margins: 0; radius: Theme.radius }
    }

    Label {
        visible: !editor.visible
        anchors { left: parent.left; right: more.left; verticalCenter: parent.verticalCenter }
        anchors.leftMargin: 18
        text: row.title
        textFormat: Text.PlainText
        elide: Text.ElideRight
        font.pixelSize: Theme.controlSize
        font.weight: row.current ? Font.DemiBold : Font.Normal
        color: Theme.text
    }

    HoverHandler { id: hover }
    TapHandler {
        onTapped: row.opened()
        onDoubleTapped: row.beginRename()
    }
    TapHandler {
        acceptedButtons: Qt.RightButton
        onTapped: menu.popup()
    }

    IconButton {
        id: more
        anchors { right: parent.right; rightMargin: 12; verticalCenter: parent.verticalCenter }
        small: true
        symbol: "more"
        text: qsTr("More about “%1”").arg(row.title)
        hint: ""
        visible: !editor.visible && (hover.hovered || row.current || row.listFocused || menu.visible)
        activeFocusOnTab: row.current || row.listFocused || activeFocus
        onClicked: row.openMenu()
    }

    LineField {
        id: editor
        objectName: "renameField"
        visible: false
        anchors.fill: parent
        anchors.leftMargin: 8
        anchors.rightMargin: 8
        anchors.topMargin: 1
        anchors.bottomMargin: 1
        Accessible.name: qsTr("Title")
        onAccepted: row.endRename(true)
        onActiveFocusChanged: if (!activeFocus) row.endRename(true)
        // Before the window's shortcut, which stops an answer.
        Keys.onShortcutOverride: event => event.accepted = event.key === Qt.Key_Escape
        Keys.onEscapePressed: row.endRename(false)
    }

    PopupMenu {
        id: menu
        itemWidth: 180
        PopupMenuItem { text: qsTr("Rename"); keys: "F2"; onTriggered: row.beginRename() }
        PopupMenuItem { text: qsTr("Delete"); keys: qsTr("Del"); tint: Theme.danger; onTriggered: row.removed() }
    }
}
