// The front door: text in, statements out.

public import Contracts

/// Parses a topology (or a test file, or one query) with PostgreSQL 15's grammar.
/// Throws a `Failure` of kind `invalid` with the place of the first error.
public func parseTopology(_ source: SourceText) throws(Failure) -> [Statement] {
    bug("not there")
}
