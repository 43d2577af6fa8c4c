// The failures of this module. Reading never traps on bad bytes: every length, count and offset of
// a file is checked, and what does not hold is one of these.

import Contracts

/// The bytes break the format.
func corrupt(_ message: String) -> Failure {
    Failure(.failed, "parquet.corrupt", "parquet file is damaged: \(message)")
}

/// The bytes may be fine, but this reader or writer does not know the feature.
func unsupported(_ message: String) -> Failure {
    Failure(.failed, "parquet.unsupported", "parquet: \(message) is not supported")
}

/// Bounds on what a file may ask of memory, each far above what writers make.
enum ParquetLimit {
    /// A footer beyond this is refused before it is read.
    static let footerBytes = 256 << 20
    /// One page, compressed or not.
    static let pageBytes = 512 << 20
    /// Bytes of text of one column chunk: what 32-bit ranges can point into, halved.
    static let chunkBytes = Int(Int32.max)
    /// Values of one column chunk, NULLs included.
    static let chunkValues = 1 << 27
    /// Groups within groups; also guards the recursion over the schema.
    static let schemaDepth = 64
    static let schemaElements = 100_000
    /// Bytes of a string kept in footer statistics (parquet-java and arrow-rs: 64).
    static let statisticsBytes = 64
}
