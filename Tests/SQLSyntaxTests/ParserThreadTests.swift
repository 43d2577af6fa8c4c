// What many parses leave behind in the process: nothing.

import Contracts
import Glibc
import SQLSyntax
import Testing

@Suite struct ParserThreadTests {
    /// libpg_query takes a pthread key for each thread that calls it; a process has 1,024.
    @Test func parsesUseUpNoThreadKeys() throws {
        for _ in 0..<1_100 {
            _ = try parseTopology(SourceText(file: "t.sql", text: "SELECT 1"))
        }
        var key = pthread_key_t()
        // SAFETY: the key is deleted at once; nothing is stored under it.
        #expect(unsafe pthread_key_create(&key, nil) == 0)
        pthread_key_delete(key)
    }

    @Test func manyThreadsMayParseAtOnce() async throws {
        try await withThrowingTaskGroup(of: Int.self) { group in
            for count in 1...32 {
                group.addTask {
                    let text = String(repeating: "SELECT 1;", count: count)
                    return try parseTopology(SourceText(file: "t.sql", text: text)).count
                }
            }
            let counts = try await group.reduce(into: Set<Int>()) { $0.insert($1) }
            #expect(counts == Set(1...32))
        }
    }
}
