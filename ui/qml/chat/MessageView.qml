// The messages. It stays at the end while the end is in view, and leaves the reader alone otherwise.
import QtQuick
import QtQuick.Controls.Basic
import Hearth

ListView {
    id: view

    required property ChatViewModel chat
    property bool sticky: true
    property real lastY: 0
    readonly property bool ownFocus: Window.activeFocusItem === view

    function toEnd() {
        sticky = true
        currentIndex = count - 1
        Qt.callLater(positionViewAtEnd)
    }
    function scrollBy(pixels) {
        cancelFlick()
        contentY = Math.max(originY, Math.min(contentY + pixels, originY + Math.max(0, contentHeight - height)))
    }

    objectName: "messageList"
    model: chat.messages
    spacing: 6
    clip: true
    cacheBuffer: 600
    activeFocusOnTab: true
    keyNavigationEnabled: false
    highlightFollowsCurrentItem: false
    boundsBehavior: Flickable.StopAtBounds
    header: Item { width: 1; height: Theme.gap }
    footer: Item { width: 1; height: Theme.margin }
    ScrollBar.vertical: SlimScrollBar {}
    Accessible.role: Accessible.List
    Accessible.name: qsTr("Messages")

    // Growth never moves contentY upwards: only the reader does.
    onContentYChanged: {
        if (contentY + height >= originY + contentHeight - 2)
            sticky = true
        else if (contentY < lastY - 1 && (moving || scrolledByKey || ScrollBar.vertical.pressed))
            sticky = false
        lastY = contentY
    }
    onContentHeightChanged: if (sticky) Qt.callLater(positionViewAtEnd)
    onHeightChanged: if (sticky) Qt.callLater(positionViewAtEnd)
    onCountChanged: if (sticky) currentIndex = count - 1

    property bool scrolledByKey: false
    Keys.onPressed: event => {
        const page = height * 0.9
        const steps = {}
        steps[Qt.Key_PageUp] = -page
        steps[Qt.Key_PageDown] = page
        steps[Qt.Key_Home] = -1e9
        steps[Qt.Key_End] = 1e9
        if (event.key in steps) {
            scrolledByKey = true
            scrollBy(steps[event.key])
            scrolledByKey = false
        } else if (event.key === Qt.Key_Up && currentIndex > 0) {
            select(currentIndex - 1)
        } else if (event.key === Qt.Key_Down && currentIndex < count - 1) {
            select(currentIndex + 1)
        } else {
            return
        }
        event.accepted = true
    }
    function select(row) {
        scrolledByKey = true
        currentIndex = row
        positionViewAtIndex(row, ListView.Contain)
        scrolledByKey = false
    }

    delegate: MessageDelegate {
        width: view.width
        chat: view.chat
        current: ListView.isCurrentItem
        listFocused: view.ownFocus && ListView.isCurrentItem
        last: index === view.count - 1
        onFocused: view.currentIndex = index
    }
}
