// Gives every name of a template its place, by Jinja's rules of scope: what jinja2/idtracking.py and
// jinja2/compiler.py decide at compile time, including what they decide surprisingly. Also finds
// filters and tests by name.
#pragma once

#include "models/chat_template/syntax.h"

namespace hearth::jinja {

/// Faults: unknown filters and tests outside of conditions, assignments to `loop` inside of loops.
void resolveScopes(Syntax& syntax);

}  // namespace hearth::jinja
