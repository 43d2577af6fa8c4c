// The one owner of a RocksDB handle: get, iterate, and one synced write a checkpoint.

import CRocksDB
public import Contracts
import Environment
import Glibc

/// A key-value store that sorts its keys as bytes.
///
/// Thread-safe as RocksDB itself is; options that matter are set in `options()`.
// because the handle is made once, RocksDB's calls are thread-safe, and it is closed in deinit
// only.
@safe
public final class RocksStore: @unchecked Sendable {
    private let handle: OpaquePointer
    private let writeOptions: OpaquePointer
    private let readOptions: OpaquePointer
    public let path: String

    /// Opens (and makes, unless `readOnly`) the store in a folder.
    public init(path: String, readOnly: Bool = false) throws(Failure) {
        let options = unsafe RocksStore.options()
        defer { unsafe rocksdb_options_destroy(options) }
        var message: UnsafeMutablePointer<CChar>?
        // SAFETY: path and options outlive the call; `message` is freed by `take`.
        let handle = unsafe readOnly
            ? rocksdb_open_for_read_only(options, path, 0, &message)
            : rocksdb_open(options, path, &message)
        guard let handle = unsafe handle else {
            throw unsafe RocksStore.failure("open", path, message)
        }
        unsafe self.handle = handle
        self.path = path
        // SAFETY: RocksDB's constructors of options never give NULL.
        unsafe writeOptions = rocksdb_writeoptions_create().required("write options")
        unsafe rocksdb_writeoptions_set_sync(writeOptions, 1)
        unsafe readOptions = rocksdb_readoptions_create().required("read options")
    }

    deinit {
        // SAFETY: nothing uses the handles after deinit.
        unsafe rocksdb_writeoptions_destroy(writeOptions)
        unsafe rocksdb_readoptions_destroy(readOptions)
        unsafe rocksdb_close(handle)
    }

    /// Tolerates a torn last record (a crash in mid-write), nothing else: a damaged record with
    /// others behind it must be an error, not a silent rollback (traps.md).
    private static func options() -> OpaquePointer {
        let options = unsafe rocksdb_options_create().required("options")
        unsafe rocksdb_options_set_create_if_missing(options, 1)
        unsafe rocksdb_options_set_paranoid_checks(options, 1)
        unsafe rocksdb_options_set_wal_recovery_mode(options, 0)
        unsafe rocksdb_options_set_max_open_files(options, 256)
        unsafe rocksdb_options_set_keep_log_file_num(options, 2)
        unsafe rocksdb_options_increase_parallelism(options, 2)
        unsafe rocksdb_options_set_compression(options, Int32(rocksdb_zstd_compression))
        unsafe bound(options)
        return unsafe options
    }

    /// What RocksDB keeps in memory, whatever it stores: two write buffers, and one cache for
    /// blocks of data, indexes and filters (docs/STORAGE.md).
    private static func bound(_ options: OpaquePointer) {
        unsafe rocksdb_options_set_write_buffer_size(options, writeBufferBytes)
        unsafe rocksdb_options_set_max_write_buffer_number(options, 2)
        let tables = unsafe rocksdb_block_based_options_create().required("table options")
        defer { unsafe rocksdb_block_based_options_destroy(tables) }
        let cache = unsafe rocksdb_cache_create_lru(cacheBytes).required("cache")
        defer { unsafe rocksdb_cache_destroy(cache) }
        unsafe rocksdb_block_based_options_set_block_cache(tables, cache)
        unsafe rocksdb_block_based_options_set_cache_index_and_filter_blocks(tables, 1)
        unsafe rocksdb_block_based_options_set_cache_index_and_filter_blocks_with_high_priority(
            tables, 1)
        // In partitions: whole, the filter of a large file would be as large as a part of the cache
        // and be read again for almost every key.
        unsafe rocksdb_block_based_options_set_index_type(
            tables, CInt(rocksdb_block_based_table_index_type_two_level_index_search))
        unsafe rocksdb_block_based_options_set_partition_filters(tables, 1)
        unsafe rocksdb_block_based_options_set_pin_top_level_index_and_filter(tables, 1)
        // SAFETY: the table options take the policy over.
        unsafe rocksdb_block_based_options_set_filter_policy(
            tables, rocksdb_filterpolicy_create_bloom_full(10))
        unsafe rocksdb_options_set_block_based_table_factory(options, tables)
    }

    private static let writeBufferBytes = 16 << 20
    private static let cacheBytes = 32 << 20

    private static func failure(
        _ action: String, _ path: String, _ message: UnsafeMutablePointer<CChar>?
    ) -> Failure {
        // SAFETY: RocksDB hands over a malloced C string or NULL.
        var reason = unsafe message.map { unsafe String(cString: $0) } ?? "unknown"
        unsafe free(message)
        // RocksDB asks for data files by their former suffix, too, and names that in its error.
        reason = reason.replacing(".ldb", with: ".sst")
        if reason.hasSuffix("checksum mismatch") {
            let logs = LocalFiles.list(path).filter { $0.hasSuffix(".log") }
            reason += " in the write-ahead log (\(logs.joined(separator: ", ")))"
        }
        return Failure(
            .failed, "state.\(action)", "could not \(action) the state in \(path): \(reason)",
            hint: reason.contains("space") ? "free some space and start again" : nil)
    }

    /// The value under a key.
    public func get(_ key: [UInt8]) throws(Failure) -> [UInt8]? {
        var message: UnsafeMutablePointer<CChar>?
        var length = 0
        // SAFETY: the key's bytes outlive the call; the result is copied, then freed.
        let value = unsafe key.withUnsafeBytes { bytes in
            unsafe rocksdb_get(
                handle, readOptions, bytes.assumingMemoryBound(to: CChar.self).baseAddress,
                bytes.count, &length, &message)
        }
        if unsafe message != nil { throw unsafe RocksStore.failure("read", path, message) }
        guard let value = unsafe value else { return nil }
        defer { unsafe free(value) }
        return unsafe Array(UnsafeRawBufferPointer(start: value, count: length))
    }

    /// The values under keys, which ascend; nil: there is none.
    public func get(_ keys: [[UInt8]]) throws(Failure) -> [[UInt8]?] {
        var values: [[UInt8]?] = []
        values.reserveCapacity(keys.count)
        for key in keys { values.append(try get(key)) }
        return values
    }

    /// Calls `body` with each entry whose key begins with `prefix`, in order, until it gives false.
    public func forEach(
        prefix: [UInt8], _ body: (_ key: [UInt8], _ value: [UInt8]) throws(Failure) -> Bool
    ) throws(Failure) {
        // SAFETY: the iterator is destroyed below; its keys and values are copied before it moves.
        let iterator = unsafe rocksdb_create_iterator(handle, readOptions).required("iterator")
        defer { unsafe rocksdb_iter_destroy(iterator) }
        unsafe prefix.withUnsafeBytes { bytes in
            unsafe rocksdb_iter_seek(
                iterator, bytes.assumingMemoryBound(to: CChar.self).baseAddress, bytes.count)
        }
        while unsafe rocksdb_iter_valid(iterator) != 0 {
            var length = 0
            let keyStart = unsafe rocksdb_iter_key(iterator, &length)
            let key = unsafe Array(UnsafeRawBufferPointer(start: keyStart, count: length))
            guard key.starts(with: prefix) else { return }
            let valueStart = unsafe rocksdb_iter_value(iterator, &length)
            let value = unsafe Array(UnsafeRawBufferPointer(start: valueStart, count: length))
            guard try body(key, value) else { return }
            unsafe rocksdb_iter_next(iterator)
        }
        var message: UnsafeMutablePointer<CChar>?
        unsafe rocksdb_iter_get_error(iterator, &message)
        if unsafe message != nil { throw unsafe RocksStore.failure("read", path, message) }
    }

    /// Writes the batch, synced. A failure has an unknown outcome: never retried (design.md §3.2).
    public func write(_ batch: consuming RocksBatch) throws(Failure) {
        var message: UnsafeMutablePointer<CChar>?
        // SAFETY: the batch's handle lives until the end of this call.
        unsafe rocksdb_write(handle, writeOptions, batch.handle, &message)
        if unsafe message != nil { throw unsafe RocksStore.failure("write", path, message) }
    }

    /// A copy of the store as of its newest write in a folder that must not exist: data files as
    /// hard links, the write-ahead log copied. The folder is there whole or as `<folder>.tmp`. A
    /// log beyond `logLimit` bytes is written out first, so that no copy is longer.
    public func checkpoint(
        to folder: String, logLimit: UInt64 = RocksStore.copiedLogLimit
    ) throws(Failure) {
        var message: UnsafeMutablePointer<CChar>?
        // SAFETY: the handle lives as long as this; the object is destroyed below.
        let checkpoint = unsafe rocksdb_checkpoint_object_create(handle, &message)
        guard let checkpoint = unsafe checkpoint else {
            throw unsafe RocksStore.failure("checkpoint", path, message)
        }
        defer { unsafe rocksdb_checkpoint_object_destroy(checkpoint) }
        unsafe rocksdb_checkpoint_create(checkpoint, folder, logLimit, &message)
        if unsafe message != nil { throw unsafe RocksStore.failure("checkpoint", path, message) }
    }

    /// Copying a log costs what writing it did: 2 ms for a small one. Writing it out makes one more
    /// small data file, so it is done once a write buffer at most.
    public static let copiedLogLimit: UInt64 = 64 << 20

    /// Writes the log out into a data file.
    package func flush() throws(Failure) {
        var message: UnsafeMutablePointer<CChar>?
        // SAFETY: the handle lives as long as this; the options are destroyed below.
        let options = unsafe rocksdb_flushoptions_create().required("flush options")
        defer { unsafe rocksdb_flushoptions_destroy(options) }
        unsafe rocksdb_flush(handle, options, &message)
        if unsafe message != nil { throw unsafe RocksStore.failure("flush", path, message) }
    }

    /// An estimate of what a key prefix takes on disk and in memtables, bytes.
    public func approximateBytes() -> Int64 {
        // SAFETY: the property's C string is copied, then freed.
        let text = unsafe rocksdb_property_value(handle, "rocksdb.estimate-live-data-size")
        defer { unsafe free(text) }
        return unsafe text.flatMap { unsafe Int64(String(cString: $0)) } ?? 0
    }
}

/// Puts and deletes that become durable together.
@safe
public struct RocksBatch: ~Copyable {
    fileprivate let handle: OpaquePointer
    /// Bytes of keys and values put or deleted so far.
    public private(set) var byteCount = 0

    public init() { unsafe handle = rocksdb_writebatch_create().required("write batch") }

    deinit { unsafe rocksdb_writebatch_destroy(handle) }

    public mutating func put(_ key: [UInt8], _ value: [UInt8]) {
        byteCount += key.count + value.count
        // SAFETY: RocksDB copies both ranges during the call.
        unsafe key.withUnsafeBytes { key in
            unsafe value.withUnsafeBytes { value in
                unsafe rocksdb_writebatch_put(
                    handle, key.assumingMemoryBound(to: CChar.self).baseAddress, key.count,
                    value.assumingMemoryBound(to: CChar.self).baseAddress, value.count)
            }
        }
    }

    public mutating func delete(_ key: [UInt8]) {
        byteCount += key.count
        // SAFETY: RocksDB copies the range during the call.
        unsafe key.withUnsafeBytes { key in
            unsafe rocksdb_writebatch_delete(
                handle, key.assumingMemoryBound(to: CChar.self).baseAddress, key.count)
        }
    }

    /// Deletes every key that begins with `prefix`.
    public mutating func delete(prefix: [UInt8]) { delete(from: prefix, through: prefix) }

    /// Deletes every key from `first` to the last that begins with `prefix`.
    public mutating func delete(from first: [UInt8], through prefix: [UInt8]) {
        guard let end = RocksBatch.successor(prefix) else { return }
        byteCount += first.count + end.count
        // SAFETY: RocksDB copies both ranges during the call.
        unsafe first.withUnsafeBytes { start in
            unsafe end.withUnsafeBytes { end in
                unsafe rocksdb_writebatch_delete_range(
                    handle, start.assumingMemoryBound(to: CChar.self).baseAddress, start.count,
                    end.assumingMemoryBound(to: CChar.self).baseAddress, end.count)
            }
        }
    }

    /// The first key behind all that begin with `prefix`.
    private static func successor(_ prefix: [UInt8]) -> [UInt8]? {
        guard let last = prefix.lastIndex(where: { $0 != 0xff }) else { return nil }
        var end = Array(prefix[...last])
        end[last] += 1
        return end
    }
}
