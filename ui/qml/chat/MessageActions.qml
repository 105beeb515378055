// Versions, copy, edit or regenerate, and the statistics of an answer.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

RowLayout {
    id: actions

    required property var message
    property bool shown: false
    readonly property bool focusInside: copyButton.activeFocus || changeButton.activeFocus
        || previous.activeFocus || next.activeFocus

    spacing: 2

    RowLayout {
        visible: actions.message.versions > 1
        layoutDirection: Qt.LeftToRight
        spacing: 0

        IconButton {
            id: previous
            objectName: "previousVersion"
            small: true
            symbol: "left"
            text: qsTr("Previous version")
            enabled: actions.message.version > 1 && !actions.message.chat.answering
            activeFocusOnTab: actions.message.current || activeFocus
            onClicked: actions.message.chat.showVersion(actions.message.messageId, -1)
        }
        Label {
            text: actions.message.version + "/" + actions.message.versions
            font.pixelSize: Theme.smallSize
            color: Theme.mutedText
            Accessible.name: qsTr("Version %1 of %2").arg(actions.message.version).arg(actions.message.versions)
        }
        IconButton {
            id: next
            objectName: "nextVersion"
            small: true
            symbol: "right"
            text: qsTr("Next version")
            enabled: actions.message.version < actions.message.versions && !actions.message.chat.answering
            activeFocusOnTab: actions.message.current || activeFocus
            onClicked: actions.message.chat.showVersion(actions.message.messageId, 1)
        }
    }
    IconButton {
        id: copyButton
        objectName: "copyMessage"
        opacity: actions.shown ? 1 : 0
        small: true
        symbol: "copy"
        text: qsTr("Copy")
        activeFocusOnTab: actions.message.current || activeFocus
        onClicked: actions.message.chat.copy(actions.message.text)
    }
    IconButton {
        id: changeButton
        objectName: actions.message.isUser ? "editMessage" : "regenerate"
        opacity: actions.shown ? (enabled ? 1 : 0.4) : 0
        small: true
        symbol: actions.message.isUser ? "edit" : "regenerate"
        text: actions.message.isUser ? qsTr("Edit") : qsTr("Answer again")
        enabled: actions.message.isUser ? !actions.message.chat.answering : actions.message.chat.canSend
        activeFocusOnTab: actions.message.current || activeFocus
        onClicked: actions.message.isUser ? actions.message.chat.beginEdit(actions.message.messageId)
                                          : actions.message.chat.regenerate(actions.message.messageId)
    }
    Label {
        id: statistics
        objectName: "statistics"
        visible: text !== ""
        text: actions.message.statistics
        textFormat: Text.PlainText
        elide: Text.ElideRight
        font.pixelSize: Theme.smallSize
        color: Theme.mutedText
        leftPadding: 6
        Layout.fillWidth: true
        Accessible.name: qsTr("Statistics: %1").arg(text)

        HoverHandler { id: statisticsHover }
        Hint {
            text: (statistics.truncated ? statistics.text + "\n" : "") + actions.message.statisticsMore
            shown: statisticsHover.hovered
        }
    }
    Item { visible: !statistics.visible; Layout.fillWidth: true; implicitHeight: 1 }
}
