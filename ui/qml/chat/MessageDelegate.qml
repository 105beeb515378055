// One message: its text, what became of it, and what can be done with it.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

Item {
    id: row

    required property int index
    required property var messageId
    required property bool isUser
    required property string text
    required property string answerState
    required property string reason
    required property string error
    required property int version
    required property int versions
    required property string statistics
    required property string statisticsMore
    required property int droppedMessages
    required property real reading
    required property ChatViewModel chat
    property bool current: false
    property bool listFocused: false
    property bool last: false
    readonly property bool editing: chat.editingId === messageId
    readonly property bool streaming: answerState === "streaming"
    // Many models begin with a space or a line break: kept and copied, but not shown.
    readonly property string shownText: isUser ? text : text.replace(/^\s+/, "")
    readonly property bool showActions: hover.hovered || listFocused || (last && !isUser)
    signal focused()

    implicitHeight: content.implicitHeight + 14
    Accessible.role: Accessible.ListItem
    Accessible.name: (isUser ? qsTr("You") : qsTr("Answer")) + ": " + text

    HoverHandler { id: hover }

    FocusRing {
        shown: row.listFocused
        anchors.fill: content
        anchors.margins: -6
    }

    ColumnLayout {
        id: content
        anchors.horizontalCenter: parent.horizontalCenter
        y: 7
        width: Math.min(parent.width - 2 * Theme.margin, Theme.columnWidth)
        spacing: 4

        RowLayout {
            visible: !row.editing && (row.isUser || row.shownText !== "")
            spacing: 6
            Layout.fillWidth: true

            Item { visible: row.isUser; Layout.fillWidth: true }
            // Beside the bubble: below it they would leave a gap before the answer.
            Loader {
                id: userActions
                active: row.isUser
                visible: active
                Layout.alignment: Qt.AlignBottom
                sourceComponent: MessageActions { message: row; shown: row.showActions || focusInside }
            }
            Rectangle {
                Layout.maximumWidth: row.isUser ? Math.min(content.width * 0.86, content.width - userActions.implicitWidth - 6)
                                                : content.width
                Layout.fillWidth: !row.isUser
                implicitWidth: body.implicitWidth + (row.isUser ? 28 : 0)
                implicitHeight: body.implicitHeight + (row.isUser ? 18 : 4)
                radius: 14
                color: row.isUser ? Theme.bubble : "transparent"

                MessageText {
                    id: body
                    objectName: "messageText"
                    anchors.fill: parent
                    anchors.leftMargin: row.isUser ? 14 : 0
                    anchors.rightMargin: row.isUser ? 14 : 0
                    anchors.topMargin: row.isUser ? 9 : 2
                    source: row.shownText
                    streaming: row.streaming
                    activeFocusOnTab: row.current || activeFocus
                    Accessible.name: row.isUser ? qsTr("You") : qsTr("Answer")
                    onActiveFocusChanged: if (activeFocus) row.focused()
                }
            }
        }

        Loader {
            active: row.editing
            visible: active
            Layout.fillWidth: true
            sourceComponent: MessageEditor { chat: row.chat }
        }

        ReadingProgress {
            visible: row.streaming && row.shownText === ""
            part: row.reading
            Layout.fillWidth: true
        }

        MessageState {
            visible: state !== ""
            state: row.isUser || row.answerState === "complete" || row.streaming ? "" : row.answerState
            reason: row.reason
            error: row.error
            empty: row.shownText === ""
            Layout.fillWidth: true
        }

        Label {
            visible: row.droppedMessages > 0
            text: qsTr("The context is full: the oldest %n message(s) were not given to the model.", "", row.droppedMessages)
            font.pixelSize: Theme.smallSize
            color: Theme.mutedText
            wrapMode: Text.Wrap
            Layout.fillWidth: true
        }

        Loader {
            active: !row.isUser
            visible: active && !row.streaming
            Layout.fillWidth: true
            sourceComponent: MessageActions { message: row; shown: row.showActions || focusInside }
        }
    }
}
