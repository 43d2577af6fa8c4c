// Where a demo keeps its state and tables: one folder a run, the last ones swept up.

import Contracts
import Foundation
import Glibc

/// `.millrace/demo/<process id>`; folders of runs whose process has ended are removed.
struct DemoFolder {
    let path: String
    /// Topics of earlier demos in this folder that were killed before they could remove them.
    let leftovers: [Topic]
    var state: String { path + "/state" }
    var lake: String { path + "/lake" }

    init() throws(Failure) {
        let root = ".millrace/demo"
        let files = FileManager.default
        var leftovers: [Topic] = []
        for name in (try? files.contentsOfDirectory(atPath: root)) ?? [] {
            guard let process = Int32(name), process > 0, !DemoFolder.isAlive(process) else {
                continue
            }
            if let topic = Topic(folder: "\(root)/\(name)") { leftovers.append(topic) }
            try? files.removeItem(atPath: "\(root)/\(name)")
        }
        self.leftovers = leftovers
        path = "\(root)/\(ProcessInfo.processInfo.processIdentifier)"
        do {
            try files.createDirectory(atPath: path, withIntermediateDirectories: true)
        } catch {
            throw Failure(.failed, "demo.folder", "could not make the folder \(path): \(error)")
        }
    }

    /// A topic on a real broker.
    struct Topic: Codable {
        let broker: String
        let name: String

        init(broker: String, name: String) {
            self.broker = broker
            self.name = name
        }

        fileprivate static let file = "topic.json"

        /// The one that a demo's folder remembers.
        fileprivate init?(folder: String) {
            guard let data = FileManager.default.contents(atPath: "\(folder)/\(Topic.file)"),
                let topic = try? JSONDecoder().decode(Topic.self, from: data)
            else { return nil }
            self = topic
        }
    }

    func remember(_ topic: Topic) throws(Failure) {
        do {
            try JSONEncoder().encode(topic).write(to: URL(filePath: "\(path)/\(Topic.file)"))
        } catch {
            throw Failure(.failed, "demo.folder", "could not write to \(path): \(error)")
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
