// Where a demo keeps its state and tables: one folder a run, the last ones swept up.

import Contracts
import Foundation
import Glibc

/// `.millrace/demo/<process id>`; folders of runs whose process has ended are removed.
struct DemoFolder {
    let path: String
    var state: String { path + "/state" }
    var lake: String { path + "/lake" }

    init() throws(Failure) {
        let root = ".millrace/demo"
        let files = FileManager.default
        for name in (try? files.contentsOfDirectory(atPath: root)) ?? [] {
            guard let process = Int32(name), process > 0, !DemoFolder.isAlive(process) else {
                continue
            }
            try? files.removeItem(atPath: "\(root)/\(name)")
        }
        path = "\(root)/\(ProcessInfo.processInfo.processIdentifier)"
        do {
            try files.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw Failure(.failed, "demo.folder", "could not make the folder \(path): \(error)")
        }
    }

    private static func isAlive(_ process: Int32) -> Bool {
        kill(process, 0) == 0 || errno == EPERM
    }

    private static let topologyPath = "topologies/hot_auctions.sql"

    /// The shipped topology: under the current folder, else above the binary.
    static func topology() throws(Failure) -> String {
        if FileManager.default.fileExists(atPath: topologyPath) { return topologyPath }
        var folder = DemoProcess.executable.deletingLastPathComponent()
        while folder.path != "/" {
            let candidate = folder.appending(path: topologyPath).path
            if FileManager.default.fileExists(atPath: candidate) { return candidate }
            folder.deleteLastPathComponent()
        }
        throw Failure(
            .invalid, "demo.topology", "\(topologyPath) is not to be found",
            hint: "run millrace demo in the folder of the repository")
    }
}
