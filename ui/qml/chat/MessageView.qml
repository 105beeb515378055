// The messages. It stays at the end while the end is in view, and leaves the reader alone otherwise.
import QtQuick
import QtQuick.Controls.Basic
import Hearth

// A list view is a focus scope that hands the keyboard on to what had it inside; this item takes it.
Item {
    id: root

    required property ChatViewModel chat
    property bool sticky: true
    readonly property bool ownFocus: Window.activeFocusItem === root
    readonly property alias count: view.count
    readonly property alias contentY: view.contentY
    readonly property alias atYEnd: view.atYEnd
    property bool byKey: false

    function toEnd() {
        sticky = true
        view.currentIndex = view.count - 1
        Qt.callLater(view.positionViewAtEnd)
    }
    function scrollBy(pixels) {
        view.cancelFlick()
        const end = view.originY + Math.max(0, view.contentHeight - view.height)
        byKey = true
        view.contentY = Math.max(view.originY, Math.min(view.contentY + pixels, end))
        byKey = false
    }
    function select(row) {
        byKey = true
        view.currentIndex = row
        view.positionViewAtIndex(row, ListView.Contain)
        byKey = false
    }

    objectName: "messageList"
    activeFocusOnTab: true
    Accessible.role: Accessible.List
    Accessible.name: qsTr("Messages")

    Keys.onPressed: event => {
        const steps = {}
        steps[Qt.Key_PageUp] = -height * 0.9
        steps[Qt.Key_PageDown] = height * 0.9
        steps[Qt.Key_Home] = -1e9
        steps[Qt.Key_End] = 1e9
        if (!ownFocus)
            return
        if (event.key in steps)
            scrollBy(steps[event.key])
        else if (event.key === Qt.Key_Up && view.currentIndex > 0)
            select(view.currentIndex - 1)
        else if (event.key === Qt.Key_Down && view.currentIndex < view.count - 1)
            select(view.currentIndex + 1)
        else
            return
        event.accepted = true
    }

    ListView {
        id: view

        property real lastY: 0

        anchors.fill: parent
        model: root.chat.messages
        spacing: 6
        clip: true
        cacheBuffer: 600
        keyNavigationEnabled: false
        highlightFollowsCurrentItem: false
        boundsBehavior: Flickable.StopAtBounds
        header: Item { width: 1; height: Theme.gap }
        footer: Item { width: 1; height: Theme.margin }
        ScrollBar.vertical: SlimScrollBar { id: bar }

        // Growth never moves contentY upwards: only the reader does.
        onContentYChanged: {
            if (contentY + height >= originY + contentHeight - 2)
                root.sticky = true
            else if (contentY < lastY - 1 && (moving || root.byKey || bar.pressed))
                root.sticky = false
            lastY = contentY
        }
        onContentHeightChanged: if (root.sticky) Qt.callLater(positionViewAtEnd)
        onHeightChanged: if (root.sticky) Qt.callLater(positionViewAtEnd)
        onCountChanged: if (root.sticky) currentIndex = count - 1

        delegate: MessageDelegate {
            width: view.width
            chat: root.chat
            current: ListView.isCurrentItem
            listFocused: root.ownFocus && ListView.isCurrentItem
            last: index === view.count - 1
            onFocused: view.currentIndex = index
        }
    }
}
