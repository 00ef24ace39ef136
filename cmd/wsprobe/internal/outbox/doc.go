// Package outbox holds requests that wait for a receiver: bounded, retried, in memory or on disk. It knows no protocol:
// a request is bytes, and a function sends them.
//
// # From the batch to the receiver
//
// [Outbox.Add] appends a [Batch]. The delivery encodes and sends batches one after another. Most batches are delivered
// at once, and are then neither compressed nor written.
//
// A batch is persisted if it is deferred, if it is not answered within Options.PersistAfter, or if exports fail when it
// is added. It is compressed, and written to Options.Dir, where it outlives the process. Without a directory, or while
// its disk does not work, the compressed batch stays in memory. The file holds the request itself, so that another
// process, another version or another protocol can send it. Bounds of bytes and of age hold for persisted batches.
// Beside these, Add lets no more than two batches wait. Each bound drops the oldest batches first, and reports the
// items under a [DropCause].
//
// # Order
//
// Batches leave in the order of Add. A deferred batch is tried again after a pause that grows, and all others wait
// behind it. A rejected batch is reported and dropped, so that it does not block the others. A batch that is deferred
// 20 times for a reason that can be its own is split in two. Each half has 20 tries, and is then given up. A batch that
// is too large is split at once.
//
// Options.Interleave gives the order up: while a backlog is delivered, every other request is a new one.
//
// There are two exceptions from the order. A request whose answer was lost is repeated. If the receiver then refuses
// it, it counts as [DropRepeated], because the receiver probably has it. A file that cannot be read for now is passed
// over, so that a broken disk does not delay new batches.
//
// # Lifecycle
//
// [Open] takes the directory and looks for batches of earlier processes. [Outbox.Run] delivers. [Outbox.Close] persists
// the rest and gives the directory back.
package outbox
