// Package spool keeps batches of bytes in a directory, so that they outlive the process that made them, however
// it ends.
//
// # Files
//
// A batch is a file of its own. It is written under a temporary name, made durable (fsync), renamed, and the
// directory made durable, so that a file with the name of a batch is whole, or was damaged afterwards. The name
// begins with the time of the batch: the order of names is the order of time. It ends with the number of items, so that it is
// known how many are lost with a file that is damaged. Files without it, of earlier versions, are batches, too.
//
//	1767225600000000000-000001-3f2a91c4.85.batch      a batch with 85 items
//	1767225600000000000-000001-3f2a91c4.85.batch.tmp  one that was being written; removed by the next Open
//	1767225600000000000-000001-3f2a91c4.85.damaged    one that cannot be read
//	lock                                              held by the process that uses the directory
//
// A file begins with a header of 36 bytes, big-endian: "WSPROBE\n"; the version of the format, 4 bytes; how many
// items the batch has, 4; its time in ns since 1970, 8; the length of the content, 8; and the CRC-32C of all
// that and of the content, 4. The content follows.
//
// # What does not belong there
//
// A file that has the name of a batch and is none, because it was cut off, changed, or written by another version,
// is set aside under another name; the last few of these are kept for whoever wants to look. A file with
// another name is somebody else's and is left alone. Neither is ever an error: each is told once, with all others that
// were found with it. A file that cannot be moved or removed is told, too, and costs nobody anything else.
//
// # A file system that does not answer
//
// A call of a file system can take for ever. All calls are made by one goroutine, one after another, and whoever waits for one
// leaves after a while. What was to be written then is not: a batch that its owner still has must not come up later.
// Removals are handed over. Many of them, and a search of many files, take turns with other calls.
package spool
