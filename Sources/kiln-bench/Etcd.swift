import Foundation
import KilnModel

/// One etcd cluster as the members of a server, and what is written to it.
enum Etcd {
    static let members = 3
    static let server = "registry"
    /// The time from one write to the next: as many as a cluster of emulated machines bears beside one that boots.
    static let interval = Duration.milliseconds(200)

    /// What stands below `lab` in its file.
    ///
    /// Members that begin empty are brought up at once, and find each other. Etcd's unit, which waits for a majority, must not
    /// hold up the end of the boot meanwhile.
    static func lab(_ image: StoredImage, port: UInt16) -> String {
        """
          networks: { lan: {} }
          volumes:
            data: { size: 512MiB, filesystem: ext4 }
          servers:
            \(server):
              image: "\(Benchmark.title(image))"
              replicas: \(members)
              volume-from: empty
              networks: lan
              volumes: { data: /data }
              ports: { client: { guest: 2379, host: \(port) } }
              connections: 4
              ephemeral: [/etc/default/etcd]
              rollout: { max-unavailable: 1 }
              ready:
                - agent
                - cloud-init
                - http: { port: client, path: /health }
              user-data:
                bootcmd:
                  - |
        \(indented(configure, by: 12))
              drain:
                - run: |
        \(indented(moveLeadership, by: 12))
                  deadline: 60s
                  quiet: true
        """
    }

    // On networks the first member is called as the server, the others with their number behind it.
    private static let configure = """
        name=\(server)-${member.index}
        [ ${member.index} != 0 ] || name=\(server)
        {
            echo ETCD_NAME=$name
            echo ETCD_DATA_DIR=/data/etcd
            echo ETCD_LISTEN_CLIENT_URLS=http://0.0.0.0:2379
            echo ETCD_ADVERTISE_CLIENT_URLS=http://$name:2379
            echo ETCD_LISTEN_PEER_URLS=http://0.0.0.0:2380
            echo ETCD_INITIAL_ADVERTISE_PEER_URLS=http://$name:2380
            echo ETCD_INITIAL_CLUSTER=\(peers)
            echo ETCD_INITIAL_CLUSTER_STATE=new
        } > /etc/default/etcd
        mkdir -p /run/systemd/system/etcd.service.d
        { echo '[Service]'; echo Type=exec; } > /run/systemd/system/etcd.service.d/member.conf
        systemctl daemon-reload
        """

    private static var peers: String {
        (0..<members).map { $0 == 0 ? server : "\(server)-\($0)" }.map { "\($0)=http://\($0):2380" }
            .joined(separator: ",")
    }

    // A leader that goes without a word leaves the others without one until they have chosen another. In a hook that is quiet, for
    // what a member passes on to a leader that is just handing over is dropped, and its client waits in vain.
    private static let moveLeadership = """
        status=$(etcdctl endpoint status --write-out=fields) || exit 1
        own=$(echo "$status" | sed -n 's/^"MemberID" : //p')
        leader=$(echo "$status" | sed -n 's/^"Leader" : //p')
        [ "$own" = "$leader" ] || exit 0
        own=$(printf %x "$own")
        etcdctl member list | while IFS=, read -r id rest; do
            [ "$id" != "$own" ] && etcdctl move-leader "$id" && break
        done
        """

    private static func indented(_ text: String, by spaces: Int) -> String {
        text.split(separator: "\n").map { String(repeating: " ", count: spaces) + $0 }.joined(separator: "\n")
    }
}

/// The records that a client writes to the cluster during one rollout.
struct EtcdLedger: Sendable {
    /// How all its keys begin.
    let prefix: String

    init(_ name: String) { prefix = "ledger/\(name)/" }

    func key(_ number: Int) -> String { "\(prefix)\(number)" }

    /// The request that writes a record, by etcd's JSON gateway.
    func put(_ number: Int) -> [UInt8] {
        func encoded(_ text: String) -> String { Data(text.utf8).base64EncodedString() }
        let body = "{\"key\":\"\(encoded(key(number)))\",\"value\":\"\(encoded("record \(number)"))\"}"
        let lines = [
            "POST /v3/kv/put HTTP/1.1", "Host: 127.0.0.1", "Connection: close", "Content-Type: application/json",
            "Content-Length: \(body.utf8.count)", "", body,
        ]
        return Array(lines.joined(separator: "\r\n").utf8)
    }

    /// The command that lists all keys that a member has itself, which may be fewer than its cluster has.
    var list: [String] { ["etcdctl", "get", "--prefix", prefix, "--keys-only", "--consistency=s"] }

    /// How many of the acknowledged records are not in what ``list`` wrote.
    func lost(_ acknowledged: [Int], in output: String) -> Int {
        let found = Set(output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) })
        return acknowledged.count { !found.contains(key($0)) }
    }
}

/// One rollout of an etcd cluster under a client that writes.
struct EtcdSample: Sendable, Codable {
    let rollout: RolloutSample
    /// How many records were acknowledged, also before and after the rollout.
    let acknowledged: Int
    /// How many of these each member lacks.
    let lost: [Int]
}
