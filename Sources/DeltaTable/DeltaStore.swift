// Where a table's files are: the few calls that Delta needs of a file system or an object store.

public import Contracts

/// Storage under one table's root; paths are relative to it, as the store has them (not
/// URL-encoded). Calls block. Implementations may be used from several threads at once.
public protocol DeltaStore: Sendable {
    /// For messages and for people.
    var location: String { get }

    /// The names in a folder at or after `start`, sorted; empty if there is no such folder.
    func list(_ folder: String, from start: String) throws(Failure) -> [DeltaStoreEntry]

    /// A whole file; nil if there is none.
    func read(_ path: String) throws(Failure) -> [UInt8]?

    /// Exactly a range of a file's bytes.
    func read(_ path: String, _ range: Range<Int>) throws(Failure) -> [UInt8]

    /// nil if there is no such file.
    func byteCount(_ path: String) throws(Failure) -> Int?

    /// Creates a file with these bytes, durable with its name, unless the name exists. No reader
    /// ever sees part of it. A throw leaves the outcome unknown.
    func putIfAbsent(_ path: String, _ bytes: [UInt8]) throws(Failure) -> PutResult

    /// Creates or replaces a file at once.
    func put(_ path: String, _ bytes: [UInt8]) throws(Failure)

    /// Starts a data file; its name must not exist yet.
    func createDataFile(_ path: String) throws(Failure) -> any DeltaDataFile

    /// Makes a file and its name, found in a look-up, durable (design.md §3.2).
    func synchronize(_ path: String) throws(Failure)

    /// Removes a file; one that isn't there is fine.
    func remove(_ path: String) throws(Failure)
}

public enum PutResult: Sendable, Hashable { case created, exists }

public struct DeltaStoreEntry: Sendable, Hashable {
    public let name: String
    /// ms since 1970.
    public let modificationTime: Int64

    public init(name: String, modificationTime: Int64) {
        self.name = name
        self.modificationTime = modificationTime
    }
}

/// A data file being written.
public protocol DeltaDataFile: AnyObject {
    func append(_ bytes: [UInt8]) throws(Failure)
    /// Makes the file and its name durable.
    func finish() throws(Failure)
}
