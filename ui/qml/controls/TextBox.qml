// Several lines of text. Tab leaves it; it scrolls when there is more than `maximumLines`.
import QtQuick
import QtQuick.Controls.Basic
import Hearth

ScrollView {
    id: box

    property alias text: area.text
    property alias placeholderText: area.placeholderText
    property alias area: area
    property string label
    property int minimumLines: 1
    property int maximumLines: 8
    property bool framed: true

    function lineHeights(lines) {
        return Math.ceil(metrics.lineSpacing * lines) + area.topPadding + area.bottomPadding
    }

    implicitHeight: Math.max(lineHeights(minimumLines),
                             Math.min(area.implicitHeight, lineHeights(maximumLines)))
    contentWidth: availableWidth
    ScrollBar.vertical: SlimScrollBar {
        parent: box
        x: box.width - width
        height: box.height
        policy: area.implicitHeight > box.height + 1 ? ScrollBar.AlwaysOn : ScrollBar.AlwaysOff
    }

    FontMetrics { id: metrics; font: area.font }

    background: Rectangle {
        visible: box.framed
        radius: Theme.radius
        color: Theme.surface
        border.width: area.activeFocus ? 2 : 1
        border.color: area.activeFocus ? Theme.accent : Theme.fieldBorder
    }

    TextArea {
        id: area

        Accessible.name: box.label
        textFormat: TextEdit.PlainText
        wrapMode: TextEdit.Wrap
        font.pixelSize: Theme.controlSize
        color: Theme.text
        placeholderTextColor: Theme.mutedText
        selectionColor: Theme.selection
        selectedTextColor: Theme.text
        selectByMouse: true
        padding: 8
        leftPadding: 10
        rightPadding: 10
        background: null
        KeyNavigation.priority: KeyNavigation.BeforeItem
        Keys.onTabPressed: area.nextItemInFocusChain(true).forceActiveFocus(Qt.TabFocusReason)
        Keys.onBacktabPressed: area.nextItemInFocusChain(false).forceActiveFocus(Qt.BacktabFocusReason)
    }
}
