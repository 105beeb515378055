// SQLite's file layer with faults at will: the n-th write, sync, truncation or read fails.
#pragma once

namespace hearth::test {

enum class Fault {
  disk_full,   // every write fails from the n-th on, as on a full disk
  write_error, // the n-th write, sync or truncation fails, later ones work
  read_error,  // the n-th read fails, later ones work
};

/// Makes the failing layer SQLite's default. Call once, before a database is opened.
void installFailingVfs();

/// Lets `n` operations of the fault's kind pass, then strikes. Replaces an earlier fault.
void failAfter(int n, Fault fault);
void stopFailing();

/// Operations that were struck since failAfter.
int faultsStruck();

}  // namespace hearth::test
