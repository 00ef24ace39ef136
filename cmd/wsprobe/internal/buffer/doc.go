// Package buffer keeps events until their delivery is proven: bounded, in order, in memory or on disk.
//
// # An event's way
//
// [Buffer.Add] takes an event and never waits. [Buffer.Next] hands events to the worker of a lane, in the order of Add,
// and marks them as in flight. [Buffer.Accept] ends the way of an event whose delivery is proven. [Buffer.Return] takes
// back what is in flight when a connection breaks: it comes first again, in the same order. All events with one
// Item.Lane go through one lane, so they keep their order.
//
// # Disk
//
// With a directory, [Buffer.Run] writes all events that have not been accepted within 400 ms. It writes them in blocks:
// one file, and one wait for the disk, for many events. So a connection that works writes nothing. A block is removed
// when each of its events was accepted or discarded. A small block is written anew with the events that follow it,
// because a slow trickle would make as many files. Each lane keeps its next events in memory, about 1 MiB, and reads
// others when they are due. After the process was killed, all events of its blocks come again, and count as sent once
// more. A stop writes down which of them are gone, so that only what waits comes again.
//
// While the disk fails, events stay in memory: at most 16 MiB, or MaxBytes if that is less. The disk is tried again
// each second.
//
// # Bounds
//
// MaxEvents and MaxBytes hold for memory and disk together. An event in memory counts with its texts and 256 bytes
// more. A block counts with the size of its file, until the file is removed. A full buffer discards the oldest event
// that is not in flight. It discards the new event if there is none, or if Options.DropNewest is set.
//
// Each event that came is accepted, discarded for one [Cause], or waits. [Buffer.Counts] has these numbers of one
// moment, and they add up.
package buffer
