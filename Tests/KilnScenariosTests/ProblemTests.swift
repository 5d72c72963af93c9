import KilnScenarios
import Testing

@Suite("Problems of a file")
struct ProblemTests {
    @Test("all problems of a file are reported at once, each with its place and path")
    func allAtOnce() throws {
        let text = """
            kiln: 1
            name: Bad Name
            lab:
              volumes:
                data: { size: 256M }
              servers:
                web:
                  imgae: tiny
                  memory: lots
                  volumes: { dta: /data }
                  ports: { http: 0 }
                  ready: [{ http: { port: htpp, path: health } }]
                  ready-timeout: 90
            steps:
              - up: [wbe]
              - replcae: { server: web }
            """
        let expected = [
            "2:7: name: expected a name (1 to 40 characters from a-z, 0-9 and '-', starting with a letter), found 'Bad Name'",
            "5:19: lab.volumes.data.size: expected a size such as 256MiB (units KiB, MiB, GiB, TiB) of at least 8MiB, "
                + "found '256M'",
            "8:7: lab.servers.web: the field 'image' is missing",
            "8:7: lab.servers.web.imgae: unknown field (did you mean 'image'?); expected one of image, memory, "
                + "processors, cpu, disk, volumes, ports, ready, network, networks, root, strategy, verify, drain, ephemeral, user-data, "
                + "user-data-file, ready-timeout, stop-timeout, warm-ready, after-attach, min-healthy, healthy-deadline, console-allow, "
                + "keep-roots, hidden-data, max-age, hold, connections, drain-timeout, replicas, rollout, heal, autoscale, launch, "
                + "volume-from, after-clone",
            "9:15: lab.servers.web.memory: expected a size such as 256MiB (units KiB, MiB, GiB, TiB) of at least 32MiB, "
                + "found 'lots'",
            "10:18: lab.servers.web.volumes.dta: expected the name of a volume, found 'dta' (did you mean 'data'?); "
                + "declared: data",
            "11:22: lab.servers.web.ports.http: expected a whole number from 1 to 65535, found the number 0",
            "12:31: lab.servers.web.ready[0].http.port: expected the name of a port of this server, found 'htpp' "
                + "(did you mean 'http'?); declared: http",
            "12:43: lab.servers.web.ready[0].http.path: expected a path that starts with '/' and has no blanks, found "
                + "'health'",
            "13:22: lab.servers.web.ready-timeout: expected a duration such as 500ms, 10s, 5m or 1h, up to 24h, found "
                + "the number 90",
            "15:10: steps[0].up[0]: expected the name of a server, found 'wbe' (did you mean 'web'?); declared: web",
            "16:5: steps[1].replcae: unknown field (did you mean 'replace'?); expected one of up, wait, exec, "
                + "copy-in, copy-out, http, write-ledger, bank, verify-ledger, replace, rollback, stop, start, heal, autoscale, reboot, "
                + "snapshot, restore, clone, check, expect, declare, promote, revoke, down, parallel, repeat, retry, within, load, use, "
                + "fault, sleep, note",
        ]
        let found = try problems(text)
        #expect(Set(found).subtracting(expected).isEmpty)
        #expect(Set(expected).subtracting(found).isEmpty)
    }

    @Test(
        "one mistake gives one problem that says so",
        arguments: [
            ("memory: {}", "found an empty map"),
            ("processors: 65", "expected a whole number from 1 to 64"),
            ("processors: 0x2", "expected a whole number"),
            ("processors: 02", "expected a whole number"),
            ("cpu: x86-64-v9", "expected a processor model"),
            ("cpu: 'max,+avx'", "expected a processor model"),
            ("network: no", "found the boolean no; put it in quotes"),
            ("network: opne", "(did you mean 'open'?)"),
            ("volumes: { data: data }", "an absolute path"),
            ("volumes: { data: /data/../etc }", "an absolute path"),
            ("volumes: { data: / }", "an absolute path"),
            ("volumes: { data: '/a b' }", "an absolute path"),
            ("ports: { http: 80, Http: 81 }", "expected a name"),
            ("ports: { a: { guest: 80, host: 8080 }, b: { guest: 81, host: 8080 } }", "already taken by"),
            ("ports: { a: { host: 8080 } }", "the field 'guest' is missing"),
            ("ready: []", "expected a list of probes, found an empty list"),
            ("ready: [agnet]", "(did you mean 'agent'?)"),
            ("ready: [{ exec: [] }]", "found an empty list"),
            ("ready: [{ agent: { evry: 1s } }]", "(did you mean 'every'?)"),
            ("ready: [{ cloud-init: { allow-degarded: true } }]", "(did you mean 'allow-degraded'?)"),
            ("ready: [{ exec: { every: 1s } }]", "the field 'run' is missing"),
            ("ready: [{ exec: { run: [] } }]", "found an empty list"),
            ("ready: [{ agent: { successes: 0 } }]", "expected a whole number from 1 to 100"),
            ("strategy: warm-frist", "(did you mean 'warm-first'?)"),
            ("strategy: blue-green", "blue-green is not done: what the other colour acknowledged"),
            ("root: volatil", "(did you mean 'volatile'?)"),
            ("warm-ready: [agnet]", "(did you mean 'agent'?)"),
            ("verify: [{ http: { port: http, path: / } }]", "expected the name of a port of this server"),
            ("drain: sync", "expected a list of commands"),
            ("drain: [{ deadline: 1s }]", "the field 'run' is missing"),
            ("after-attach: [{ run: sync, deadline: 10 }]", "expected a duration"),
            ("min-healthy: 10s\nhealthy-deadline: 9s", "healthy-deadline: shorter than min-healthy"),
            ("hold: 10s", "hold: the server publishes no TCP port whose requests could be held"),
            ("connections: 2", "connections: it says how requests are held, which takes 'hold'"),
            ("ports: { http: 80 }\nhold: 10s\nconnections: 1001", "expected a whole number from 1 to 1000"),
            ("console-allow: [oops, '']", "console-allow[1]: expected text, found an empty text"),
            ("ephemeral: [/srv/../etc]", "an absolute path"),
            ("keep-roots: 17", "expected a whole number from 0 to 16"),
            ("max-age: 3651d", "expected a duration such as 12h or 30d, up to 3650d"),
            ("max-age: 99999999999999999999d", "expected a duration"),
            ("ready-timeout: 1d", "up to 24h"),
            ("ready: [{ exec: 12 }]", "put it in quotes to make it text: \"12\""),
            ("ready: [{ exec: a, tcp: b }]", "expected one probe per element"),
            ("ready-timeout: 0s", "expected a duration"),
            ("ready-timeout: 25h", "expected a duration"),
            ("user-data: 'echo'", "text that starts with '#cloud-config'"),
            ("user-data: \"#cloud-config\\n- a\"", "expected a map after '#cloud-config', found a list"),
            ("user-data: \"#cloud-config\\na: [\"", "line 3 of the text: not YAML"),
            ("user-data: \"#cloud-config\\na: 1\\na: 2\"", "line 3 of the text: a: the key is written twice"),
            ("user-data: {}", "found an empty map"),
            ("user-data: { fs_setup: [] }", "erases a persistent volume"),
            ("user-data: { runcmd: [[mkfs.ext4, /dev/vdb]] }", "erases a persistent volume"),
            ("user-data: { bootcmd: ['test -e /x || /sbin/mke2fs /dev/vdb'] }", "erases a persistent volume"),
            ("user-data: { a: '${servers.wbe.ports.x}' }", "(did you mean 'web'?)"),
            ("user-data: { a: '${servers.web.ports.http}' }", "expected the name of a port of 'web'"),
            ("colour: red", "unknown field; expected one of"),
        ]
    )
    func oneMistake(fields: String, part: String) throws {
        let found = try problems(scenario(server: fields))
        #expect(found.count == 1 && found[0].contains(part), "\(found)")
    }

    @Test(
        "a mistake in an http probe is told with the way out",
        arguments: [
            ("path: health", "expected a path that starts with '/'"),
            ("path: /, method: get", "expected one of GET, HEAD,"),
            ("path: /, method: HAED", "(did you mean 'HEAD'?)"),
            ("path: /, status: 99", "expected a status from 100 to 599, or a class of them, such as 2xx"),
            ("path: /, status: 2x", "expected a status from 100 to 599"),
            ("path: /, status: [200, 200-299]", "status[1]: expected a status from 100 to 599"),
            ("path: /, status: []", "expected a list of statuses"),
            ("path: /, headers: { 'a b': c }", "expected the name of a header field"),
            ("path: /, headers: { A: \"b\\nC: d\" }", "expected one line"),
            ("path: /, headers: { A: 1 }", "put it in quotes to make it text"),
            ("path: /, headers: { content-length: '3' }", "follows from the request; leave it out"),
            ("path: /, headers: [a]", "expected a map of header fields"),
            ("path: /, method: HEAD, contains: ok", "use GET"),
            ("path: /, method: HEAD, body: ok", "use another 'method'"),
            ("path: /, body: ok", "is 'contains', and to send it use another 'method'"),
            ("path: /, tls: yes", "expected true, or a map with settings"),
            ("path: /, tls: false", "expected true, or a map with settings"),
            ("path: /, tls: { verfy: false }", "(did you mean 'verify'?)"),
            ("path: /, tls: { server-name: a/b }", "expected a host's name"),
            ("path: /, tls: { ca: missing.pem }", "can't be read"),
            ("path: /, scheme: HTTPS", "unknown field (https is 'tls: true')"),
            ("path: /, https: true", "unknown field (it is 'tls: true')"),
            ("path: /, verify: false", "unknown field (it is a field of 'tls')"),
            ("path: /, httpHeaders: {}", "unknown field"), ("path: /, heders: {}", "(did you mean 'headers'?)"),
        ]
    )
    func http(fields: String, part: String) throws {
        for place in [
            scenario(server: "ports: { http: 80 }\nready: [{ http: { port: http, \(fields) } }]"),
            scenario(
                server: "ports: { http: 80 }",
                steps: "[up, { expect: { server: web, http: { port: http, \(fields) } } }]"
            ),
        ] {
            let found = try problems(place)
            #expect(found.count == 1 && found[0].contains(part), "\(found)")
        }
    }

    @Test("nobody who signed is named where no signature is looked at, and https is no kind of probe")
    func tls() throws {
        let ports = "ports: { http: 80 }\n"
        let both = ports + "ready: [{ http: { port: http, path: /, tls: { verify: false, ca: missing.pem } } }]"
        #expect(try problems(scenario(server: both)).contains { $0.contains("nobody's signature is looked for") })
        let kind = ports + "ready: [{ https: { port: http, path: / } }]"
        #expect(try problems(scenario(server: kind)).contains { $0.contains("(it is 'http' with 'tls: true')") })
    }

    @Test(
        "a step that can't work is a problem",
        arguments: [
            ("[]", "expected a list of steps, found an empty list"),
            ("[up, { expect: { server: web } }]", "nothing is expected"),
            ("[up, { stop: [] }]", "found an empty list"),
            ("[up, { stop: [web, web] }]", "named twice"),
            ("[{ exec: { server: web, command: a } }]", "not up at this step"),
            ("[up, { stop: all }, { exec: { server: web, command: a } }]", "is stopped at this step"),
            ("[up, { start: [web] }]", "is not stopped at this step"),
            ("[up, up]", "is up already"),
            ("[down]", "nothing is up"),
            ("[up, { verify-ledger: { server: web } }]", "add a write-ledger step"),
            ("[up, { write-ledger: { server: web, path: /data/l } }]", "is never verified"),
            (
                "[up, { write-ledger: { server: web, path: /var/l } }, { verify-ledger: { server: web } }]",
                "on a volume"
            ),
            ("[up, { verify-ledger: { server: web, records-at-least: 0 } }]", "whole number from 1"),
            ("[up, { replace: { server: web, image: 'a b' } }]", "expected an image"),
            ("[up, { replace: { server: web, image: a, outcome: commited } }]", "(did you mean 'committed'?)"),
            ("[up, { replace: { server: web, strategy: warm } }]", "expected one of stop-first, warm-first"),
            ("[up, { replace: { server: web, data-on-revert: keeep } }]", "(did you mean 'keep'?)"),
            ("[up, { replace: { server: web, rehearse: 'yes' } }]", "expected true or false"),
            ("[up, { replace: { server: web, canary: true } }]", "it is called 'rehearse' now"),
            ("[{ rollback: { server: web } }]", "not up at this step"),
            ("[up, { rollback: { server: web, to: 0 } }]", "whole number from 1"),
            ("[up, { rollback: { server: web, image: a } }]", "unknown field"),
            ("[{ volume-snapshot: { volume: data } }]", "nothing is up"),
            ("[up, { volume-snapshot: { volume: dat } }]", "(did you mean 'data'?)"),
            ("[up, { volume-snapshot: { volume: data, name: A } }]", "expected a name"),
            ("[up, { expect: { server: web, drift: some } }]", "expected one of none"),
            ("[up, { expect: { server: web, image: tiny@stable } }]", "a channel moves"),
            ("[up, { expect: { server: web, image: tiny@Stable } }]", "name:version, name@channel or name@sha256"),
            ("[up, { expect: { server: web, http: { port: sql, path: / } } }]", "expected the name of a port"),
            ("[up, { down: [web] }]", "expected 'all' or nothing"),
            ("[upp]", "(did you mean 'up'?)"),
        ]
    )
    func steps(steps: String, part: String) throws {
        let found = try problems(scenario(server: "volumes: { data: /data }\nports: { http: 80 }", steps: steps))
        #expect(found.count == 1 && found[0].contains(part), "\(found)")
    }

    private static let warm = "volumes: { data: /data }\nstrategy: warm-first\n"

    @Test(
        "a warm-first machine boots without its volumes, so its user-data can't mount them",
        arguments: [
            "{ mounts: [[/dev/vdb, /data]] }", "{ mounts: [['LABEL=x', /data/, ext4]] }",
            "{ mounts: [[/dev/disk/by-id/virtio-0123, /other]] }", "{ runcmd: [[mount, /dev/vdb, /data]] }",
            "{ bootcmd: ['test -e /x; /bin/mount -t ext4 /dev/vdb /data/'] }",
            "{ runcmd: ['ls -l /dev/disk/by-id/virtio-0123'] }",
            "{ write_files: [{ path: /etc/systemd/system/data.mount, content: \"[Mount]\\nWhere=/data\" }] }",
            "{ write_files: [{ path: /run.sh, content: \"true\\nmount /data\" }] }",
            "\"#cloud-config\\nruncmd: ['mount /data']\"",
        ]
    )
    func ownMount(userData: String) throws {
        let found = try problems(scenario(server: ProblemTests.warm + "user-data: \(userData)"))
        #expect(found.count == 1 && found[0].contains("the machine boots without its volumes"), "\(found)")
        #expect(try problems(scenario(server: "volumes: { data: /data }\nuser-data: \(userData)")).isEmpty)
    }

    @Test(
        "what only looks like mounting a volume is left alone",
        arguments: [
            "{ mounts: [[tmpfs, /data/cache, tmpfs]] }", "{ runcmd: [[mount, -t, tmpfs, tmpfs, /data2]] }",
            "{ runcmd: ['mountpoint -q /data && touch /data/x'] }",
            "{ write_files: [{ path: /run.sh, content: \"# mount /data\\nls /data\\nmount /srv\" }] }",
        ]
    )
    func noOwnMount(userData: String) throws {
        #expect(try problems(scenario(server: ProblemTests.warm + "user-data: \(userData)")).isEmpty)
    }

    @Test("a step can't replace warm-first where the user-data mounts a volume")
    func ownMountStep() throws {
        let fields = "volumes: { data: /data }\nuser-data: { runcmd: [[mount, /data]] }"
        let steps = "[up, { replace: { server: web, strategy: warm-first } }]"
        let found = try problems(scenario(server: fields, steps: steps))
        #expect(found.count == 1 && found[0].contains("the user-data of 'web' has a mount of '/data'"), "\(found)")
        #expect(found.first?.contains("steps[1].replace.strategy") == true)
    }

    @Test("a mount of its own is placed where it stands")
    func ownMountPlace() throws {
        let found = try problems(scenario(server: ProblemTests.warm + "user-data: { runcmd: [[mount, /data]] }"))
        #expect(
            found == [
                "10:29: lab.servers.web.user-data.runcmd[0]: a mount of '/data' is not allowed with strategy warm-first: "
                    + "the machine boots without its volumes; leave it out, Kiln mounts them where 'volumes' says once "
                    + "they are its own"
            ]
        )
    }

    @Test("a volume belongs to one server")
    func oneWriter() throws {
        let text = """
            kiln: 1
            name: a
            lab:
              volumes: { data: { size: 64MiB }, more: { size: 64MiB } }
              servers:
                a: { image: tiny, volumes: { data: /data, more: /data } }
                b: { image: tiny, volumes: { data: /data } }
            steps: [up]
            """
        let found = try problems(text)
        #expect(found.count == 2)
        #expect(found.first?.hasSuffix("'/data' is already the mount path of the volume 'data'") == true)
        #expect(
            found.last
                == "7:34: lab.servers.b.volumes.data: the volume 'data' already belongs to the server 'a'; a volume "
                + "has one writer"
        )
    }

    @Test("an isolated server can't name another's port")
    func isolated() throws {
        let found = try problems(
            scenario(server: "network: isolated\nports: { http: 80 }\nuser-data: { a: '${servers.web.ports.http}' }")
        )
        #expect(found.count == 1 && found[0].contains("is isolated"), "\(found)")
    }
}
