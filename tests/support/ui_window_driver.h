// Drives the real window by keyboard, in the process of the test.
#pragma once

#include <QGuiApplication>
#include <QQuickItem>
#include <QQuickWindow>
#include <QTest>

#include <functional>

namespace hearth {

/// The first visible item with that name, below `root` as it is drawn (delegates included).
inline QQuickItem* findItem(QQuickItem* root, const QString& name) {
  if (root->objectName() == name && root->isVisible()) return root;
  for (QQuickItem* child : root->childItems())
    if (QQuickItem* found = findItem(child, name)) return found;
  return nullptr;
}

inline void forEachItem(QQuickItem* root, const std::function<void(QQuickItem*)>& visit) {
  visit(root);
  for (QQuickItem* child : root->childItems()) forEachItem(child, visit);
}

class WindowDriver {
 public:
  explicit WindowDriver(QQuickWindow* window) : window_(window) {}

  QQuickWindow* window() const { return window_; }
  QQuickItem* item(const QString& name) const { return findItem(window_->contentItem(), name); }
  QQuickItem* focusItem() const { return window_->activeFocusItem(); }
  QString focusName() const { return focusItem() ? focusItem()->objectName() : QString(); }

  void type(const QString& text) const {
    for (const QChar c : text) QTest::sendKeyEvent(QTest::Click, window_, Qt::Key(c.toUpper().unicode()), c, Qt::NoModifier);
  }
  void press(Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::NoModifier) const {
    QTest::keyClick(window_, key, modifiers);
  }
  /// What an input method would do: compose, then commit.
  void compose(const QString& preedit, const QString& commit = {}) const {
    QInputMethodEvent event(preedit, {});
    event.setCommitString(commit);
    QCoreApplication::sendEvent(focusItem(), &event);
  }

 private:
  QQuickWindow* window_;
};

}  // namespace hearth
