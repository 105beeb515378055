// The middle: the bar with the model, notices, the messages, the composer.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

FocusScope {
    id: page

    required property ChatViewModel chat
    required property ModelPickerViewModel models
    required property NoticeListModel notices
    required property WindowStateViewModel frame
    signal openFileRequested()
    signal openFolderRequested()

    function focusComposer() { composer.takeFocus() }

    ColumnLayout {
        anchors.fill: parent
        spacing: 0

        TopBar {
            models: page.models
            frame: page.frame
            Layout.fillWidth: true
            onOpenFileRequested: page.openFileRequested()
            onOpenFolderRequested: page.openFolderRequested()
        }
        NoticeBanners {
            notices: page.notices
            Layout.fillWidth: true
            Layout.fillHeight: false
            Layout.maximumHeight: implicitHeight
            Layout.leftMargin: Theme.margin
            Layout.rightMargin: Theme.margin
        }
        Item {
            Layout.fillWidth: true
            Layout.fillHeight: true

            MessageView {
                id: messages
                anchors.fill: parent
                chat: page.chat
                visible: count > 0
            }
            EmptyChat {
                anchors.fill: parent
                visible: messages.count === 0
                models: page.models
                onOpenFileRequested: page.openFileRequested()
                onOpenFolderRequested: page.openFolderRequested()
            }
            IconButton {
                objectName: "toEnd"
                anchors { horizontalCenter: parent.horizontalCenter; bottom: parent.bottom; bottomMargin: 8 }
                visible: messages.visible && !messages.sticky
                symbol: "down"
                text: qsTr("To the end")
                onClicked: messages.toEnd()
                background: Rectangle {
                    radius: height / 2
                    color: parent.hovered ? Theme.hover : Theme.surface
                    border.width: parent.visualFocus ? 2 : 1
                    border.color: parent.visualFocus ? Theme.accent : Theme.border
                }
            }
        }
        Composer {
            id: composer
            chat: page.chat
            focus: true
            Layout.fillWidth: true
            Layout.maximumWidth: Theme.columnWidth + 2 * Theme.margin
            Layout.alignment: Qt.AlignHCenter
        }
    }

    Connections {
        target: page.chat
        function onSent() { messages.toEnd() }
        function onFocusComposerRequested() { page.focusComposer() }
        function onConversationIdChanged() { messages.toEnd() }
    }
}
