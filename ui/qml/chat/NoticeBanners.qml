// What went wrong, until it is dismissed.
import QtQuick
import QtQuick.Layouts
import QtQuick.Controls.Basic
import Hearth

ColumnLayout {
    id: banners

    required property NoticeListModel notices

    spacing: 6

    Repeater {
        model: banners.notices
        delegate: Rectangle {
            id: banner
            required property int index
            required property string text
            required property string details
            required property bool opened
            property bool expanded: opened

            objectName: "notice"
            Layout.fillWidth: true
            implicitHeight: content.implicitHeight + 16
            radius: Theme.radius
            color: Theme.noticeFill
            border.width: 1
            border.color: Theme.noticeBorder
            Accessible.role: Accessible.AlertMessage
            Accessible.name: text

            ColumnLayout {
                id: content
                anchors { left: parent.left; right: parent.right; verticalCenter: parent.verticalCenter }
                anchors.leftMargin: 12
                anchors.rightMargin: 6
                spacing: 4

                RowLayout {
                    spacing: 4
                    Label {
                        text: banner.text
                        textFormat: Text.PlainText
                        wrapMode: Text.Wrap
                        font.pixelSize: Theme.controlSize
                        color: Theme.text
                        Layout.fillWidth: true
                    }
                    PushButton {
                        flatLook: true
                        visible: banner.details !== ""
                        text: banner.expanded ? qsTr("Less") : qsTr("Details")
                        onClicked: banner.expanded = !banner.expanded
                    }
                    IconButton {
                        small: true
                        symbol: "close"
                        text: qsTr("Dismiss")
                        onClicked: banners.notices.dismiss(banner.index)
                    }
                }
                TextEdit {
                    visible: banner.expanded
                    Layout.fillWidth: true
                    Layout.rightMargin: 8
                    Layout.bottomMargin: 4
                    text: banner.details
                    textFormat: TextEdit.PlainText
                    readOnly: true
                    selectByMouse: true
                    selectByKeyboard: true
                    activeFocusOnTab: true
                    wrapMode: TextEdit.Wrap
                    font.pixelSize: Theme.smallSize
                    color: Theme.mutedText
                    selectionColor: Theme.selection
                    selectedTextColor: Theme.text
                    Accessible.name: qsTr("Details")
                }
            }
        }
    }
}
