import Foundation
import Millrace
import PythonSupport
import Testing

@Suite struct SQLReferenceTests {
    /// `MILLRACE_UPDATE_DOCS=1` writes the file anew.
    @Test func theCommittedReferenceIsTheGeneratedOne() throws {
        let url = Python.root.appending(path: "docs/sql.md")
        if ProcessInfo.processInfo.environment["MILLRACE_UPDATE_DOCS"] != nil {
            try sqlReference().write(to: url, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: url, encoding: .utf8) == sqlReference())
    }
}
