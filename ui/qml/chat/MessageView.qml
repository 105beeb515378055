// The messages. It stays at the end while the end is in view, and leaves the reader alone otherwise.
import QtQuick
import QtQuick.Controls.Basic
import Hearth

// A list view is a focus scope that hands the keyboard on to what had it inside, and that gives it to
// its current item whenever that changes, even from a text that is being edited. So this item takes
// the keyboard, and the view has no current item.
Item {
    id: root

    required property ChatViewModel chat
    property bool sticky: true
    readonly property bool ownFocus: Window.activeFocusItem === root
    readonly property alias count: view.count
    readonly property alias contentY: view.contentY
    readonly property alias atYEnd: view.atYEnd
    property bool byKey: false
    property int currentRow: -1

    function toEnd() {
        sticky = true
        currentRow = view.count - 1
        Qt.callLater(keepEnd)
    }
    // Always called later: by then the reader may have scrolled away.
    function keepEnd() {
        if (sticky)
            view.positionViewAtEnd()
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
        currentRow = row
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
        else if (event.key === Qt.Key_Up && currentRow > 0)
            select(currentRow - 1)
        else if (event.key === Qt.Key_Down && currentRow < view.count - 1)
            select(currentRow + 1)
        else
            return
        event.accepted = true
    }

    ListView {
        id: view

        property real lastY: 0

        anchors.fill: parent
        model: root.chat.messages
        currentIndex: -1
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
        onContentHeightChanged: Qt.callLater(root.keepEnd)
        onHeightChanged: Qt.callLater(root.keepEnd)
        onCountChanged: if (root.sticky || root.currentRow >= count) root.currentRow = count - 1

        delegate: MessageDelegate {
            width: view.width
            chat: root.chat
            current: index === root.currentRow
            listFocused: root.ownFocus && current
            last: index === view.count - 1
            onFocused: root.currentRow = index
        }
    }
}
