// A Kafka broker of a test's own, which may be killed and started again; from the distribution at
// KAFKA_HOME, in the test's temporary folder, on ports that were free.

import Contracts
import Foundation
import Glibc
import KafkaIO
import PythonSupport
import Testing

/// One broker with a plain listener and, where wanted, one with TLS and SASL/PLAIN.
final class OwnBroker {
    static let home: URL? = {
        let named = ProcessInfo.processInfo.environment["KAFKA_HOME"].map { URL(filePath: $0) }
        let home = named ?? Python.root.appending(path: "../shared/kafka")
        let script = home.appending(path: "bin/kafka-server-start.sh").path
        return FileManager.default.isExecutableFile(atPath: script) ? home : nil
    }()
    static let isWanted =
        home != nil || ProcessInfo.processInfo.environment["MILLRACE_NO_SKIP"] == "1"

    let folder: TemporaryFolder
    private let home: URL
    private let port: Int
    private let securePort: Int
    private let controllerPort: Int
    private let users: [String: String]
    private var process: Process?
    private var lifeline: Pipe?

    /// A listener whose clients are sent to `proxyPort` for it.
    let proxiedPort: Int
    private let proxyPort: Int?

    /// `users`: names and passwords; none: no secure listener. `proxyPort`: of a proxy before it.
    init(users: [String: String] = [:], proxyPort: Int? = nil) throws {
        home = try #require(OwnBroker.home, "KAFKA_HOME names no Kafka distribution")
        folder = try TemporaryFolder()
        let ports = try OwnBroker.freePorts(4)
        (port, securePort, controllerPort) = (ports[0], ports[1], ports[2])
        (proxiedPort, self.proxyPort) = (ports[3], proxyPort)
        self.users = users
        if !users.isEmpty { try makeCertificates() }
        try configuration.write(
            toFile: folder.path("server.properties"), atomically: true, encoding: .utf8)
        // Any base64 UUID will do: the cluster is this broker alone.
        try shell(
            "bin/kafka-storage.sh",
            ["format", "--standalone", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c",
                folder.path("server.properties")])
        try start()
    }

    deinit { kill() }

    var servers: String { "127.0.0.1:\(port)" }
    var secureServers: String { "127.0.0.1:\(securePort)" }
    /// What signed the broker's certificate.
    var authority: String { folder.path("ca.pem") }

    /// A shell watches this process: when it goes, however it goes, so does the broker.
    func start() throws {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [
            "-c", "\"$0\" \"$1\" >>\"$2\" 2>&1 </dev/null & echo $! >\"$3\"; cat; kill -9 $!",
            home.appending(path: "bin/kafka-server-start.sh").path,
            folder.path("server.properties"), folder.path("server.log"), folder.path("pid"),
        ]
        process.environment = environment
        let lifeline = Pipe()
        process.standardInput = lifeline
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        self.process = process
        self.lifeline = lifeline
        let answers = KafkaFixture.wait(within: 60) { isAnswering }
        let log = (try? String(contentsOfFile: folder.path("server.log"), encoding: .utf8)) ?? ""
        try #require(answers, "\(log.suffix(2_000))")
    }

    /// A signal to the broker itself.
    func signal(_ number: Int32) {
        if let text = try? String(contentsOfFile: folder.path("pid"), encoding: .utf8),
            let pid = pid_t(text.trimmingCharacters(in: .whitespacesAndNewlines))
        {
            _ = Glibc.kill(pid, number)
        }
    }

    /// SIGKILL, as a machine that loses its power looks from outside.
    func kill() {
        guard let process else { return }
        signal(SIGKILL)
        try? lifeline?.fileHandleForWriting.close()
        process.waitUntilExit()
        self.process = nil
    }

    private var isAnswering: Bool {
        do {
            let client = try KafkaAdministration(KafkaClientConfiguration(bootstrapServers: servers))
            _ = try client.partitions("no-such-topic", timeout: .seconds(1))
            return true
        } catch {
            return error.code == "kafka.topic_missing"
        }
    }

    /// A quick start matters more here than speed later.
    private var environment: [String: String] {
        ProcessInfo.processInfo.environment.merging([
            "LOG_DIR": folder.path("logs"), "KAFKA_HEAP_OPTS": "-Xmx256m",
            "KAFKA_JVM_PERFORMANCE_OPTS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        ]) { $1 }
    }

    private func shell(_ script: String, _ arguments: [String]) throws {
        let process = Process()
        process.executableURL = script.hasPrefix("/")
            ? URL(filePath: script) : home.appending(path: script)
        process.arguments = arguments
        process.environment = environment
        process.currentDirectoryURL = folder.url
        let output = Pipe()
        process.standardOutput = output
        process.standardError = output
        try process.run()
        let text = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(
            process.terminationStatus == 0, "\(script): \(String(decoding: text, as: UTF8.self))")
    }

    private var configuration: String {
        let secure = !users.isEmpty
        let plain = "PLAINTEXT://127.0.0.1:\(port)"
        var clients = secure ? "\(plain),SASL_SSL://127.0.0.1:\(securePort)" : plain
        var advertised = clients
        if let proxyPort {
            clients += ",PROXIED://127.0.0.1:\(proxiedPort)"
            advertised += ",PROXIED://127.0.0.1:\(proxyPort)"
        }
        let known = users.sorted { $0.key < $1.key }
            .map { "user_\($0.key)=\"\($0.value)\"" }.joined(separator: " ")
        let login = "org.apache.kafka.common.security.plain.PlainLoginModule required \(known);"
        return """
            process.roles=broker,controller
            node.id=1
            controller.quorum.bootstrap.servers=127.0.0.1:\(controllerPort)
            listeners=\(clients),CONTROLLER://127.0.0.1:\(controllerPort)
            advertised.listeners=\(advertised)
            controller.listener.names=CONTROLLER
            listener.security.protocol.map=\
            CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,SASL_SSL:SASL_SSL
            inter.broker.listener.name=PLAINTEXT
            log.dirs=\(folder.path("data"))
            offsets.topic.replication.factor=1
            offsets.topic.num.partitions=1
            transaction.state.log.replication.factor=1
            transaction.state.log.min.isr=1
            transaction.state.log.num.partitions=1
            transaction.abort.timed.out.transaction.cleanup.interval.ms=500
            share.coordinator.state.topic.replication.factor=1
            share.coordinator.state.topic.min.isr=1
            auto.create.topics.enable=false
            log.cleaner.dedupe.buffer.size=4194304
            broker.session.timeout.ms=1000
            broker.heartbeat.interval.ms=200
            num.network.threads=1
            num.io.threads=2

            """
            + (secure
                ? """
                sasl.enabled.mechanisms=PLAIN
                listener.name.sasl_ssl.plain.sasl.jaas.config=\(login)
                ssl.keystore.type=PEM
                ssl.keystore.location=\(folder.path("server.pem"))

                """ : "")
    }

    /// An authority of our own, and the broker's certificate by it.
    private func makeCertificates() throws {
        let name = folder.path("san")
        try "subjectAltName=IP:127.0.0.1".write(toFile: name, atomically: true, encoding: .utf8)
        let script = """
            set -e
            openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=test-authority \
                -keyout ca.key -out ca.pem
            openssl req -newkey rsa:2048 -nodes -subj /CN=127.0.0.1 -keyout server.key -out server.csr
            openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
                -extfile san -out server.crt
            cat server.key server.crt ca.pem >server.pem
            """
        try shell("/bin/sh", ["-c", script])
    }

    /// Ports that nobody listens on; taken all at once, so that they differ.
    static func freePorts(_ count: Int) throws -> [Int] {
        let lines = try Python.lines(
            """
            import socket
            taken = [socket.create_server(('127.0.0.1', 0)) for _ in range(int(sys.argv[1]))]
            for one in taken: print(one.getsockname()[1])
            """, [String(count)])
        let ports = lines.compactMap { Int($0) }
        try #require(ports.count == count)
        return ports
    }
}
