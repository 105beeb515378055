// Selectable plain text. Text that streams in is appended, so that a selection survives and only the
// last paragraph is laid out again.
import QtQuick
import Hearth

TextEdit {
    id: edit

    property string source
    property bool streaming: false
    property string shownSource

    onSourceChanged: show()
    Component.onCompleted: show()

    function show() {
        if (source === shownSource)
            return
        if (shownSource !== "" && source.length > shownSource.length && source.startsWith(shownSource))
            insert(length, source.slice(shownSource.length))
        else
            text = source
        shownSource = source
    }

    textFormat: TextEdit.PlainText
    wrapMode: TextEdit.Wrap
    readOnly: true
    selectByMouse: true
    selectByKeyboard: true
    persistentSelection: true
    font.pixelSize: Theme.textSize
    color: Theme.text
    selectionColor: Theme.selection
    selectedTextColor: Theme.text

    TapHandler {
        acceptedButtons: Qt.RightButton
        onTapped: eventPoint => menu.popup()
    }
    Keys.onPressed: event => {
        if (event.key === Qt.Key_Menu) {
            menu.popup(edit, 0, edit.cursorRectangle.y + edit.cursorRectangle.height)
            event.accepted = true
        }
    }

    PopupMenu {
        id: menu
        itemWidth: 200
        PopupMenuItem {
            text: qsTr("Copy")
            keys: "Ctrl+C"
            enabled: edit.selectedText !== ""
            onTriggered: edit.copy()
        }
        PopupMenuItem { text: qsTr("Select all"); keys: "Ctrl+A"; onTriggered: edit.selectAll() }
    }
}
