// The hash of a row's key: decides its worker and key group, and finds it in tables.

public import Columns
import Kernels

public enum KeyHash {
    /// One hash a row over its key columns: the kernels' `hashRows`, which never changes, as stored
    /// state is laid out by it (KeyGroups). No columns: the same for all rows.
    public static func hashes(_ columns: [Column], rowCount: Int) -> [UInt64] {
        hashRows(columns, rowCount: rowCount)
    }
}
