// Package spool keeps batches of bytes in a directory, so that they outlive the process, however it ends.
//
// # Files
//
// A batch is a file of its own. It is written under a temporary name, flushed (fsync) and renamed, and then the
// directory is flushed. So a file with the name of a batch is whole, unless it was damaged later. The name begins with
// the time of the batch: the order of names is the order of time. It ends with the number of items, so that a damaged
// file tells how many are lost. Files of earlier versions, without this number, are batches, too.
//
//	1767225600000000000-000001-3f2a91c4.85.batch      a batch with 85 items
//	1767225600000000000-000001-3f2a91c4.85.batch.tmp  one that was being written; removed by the next Open
//	1767225600000000000-000001-3f2a91c4.85.damaged    one that cannot be read
//	lock                                              held by the process that uses the directory
//
// A file begins with a header of 36 bytes, big-endian. It has "WSPROBE\n"; the version of the format, 4 bytes; the
// number of items, 4; the time of the batch in ns since 1970, 8; and the length of the content, 8. The last 4 bytes are
// the CRC-32C of all these and of the content. The content follows.
//
// # What does not belong there
//
// A file with the name of a batch can be cut off, changed, or written by another version. It is set aside under another
// name, and the last 16 of these files are kept for inspection. A file with another name belongs to somebody else and
// is left alone, and so is every folder. Neither is an error. A scan reports its files together, and each file once. A
// file that cannot be moved or removed is reported, too, and does no other harm.
//
// # A file system that does not answer
//
// A call of a file system can take for ever. One goroutine makes all calls, one after another, and a caller leaves
// after a while. A batch whose caller has left is not written, because its owner still has it: a late file would be a
// second copy. Removals wait for nobody. Many removals, and a search of many files, take turns with other calls.
package spool
