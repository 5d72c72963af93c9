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
                + "processors, volumes, ports, ready, network, user-data, ready-timeout, stop-timeout",
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
            "16:5: steps[1].replcae: unknown field (did you mean 'replace'?); expected one of up, exec, replace, stop, "
                + "start, expect, down, write-ledger, verify-ledger",
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
            ("ready: [{ agent: {} }]", "unknown field"),
            ("ready: [{ exec: 12 }]", "put it in quotes to make it text: \"12\""),
            ("ready: [{ exec: a, tcp: b }]", "expected one probe per element"),
            ("ready-timeout: 0s", "expected a duration"),
            ("ready-timeout: 25h", "expected a duration"),
            ("user-data: '#!/bin/sh'", "expected a map, or a text that starts with '#cloud-config'"),
            ("user-data: \"#cloud-config\\n- a\"", "expected a map after '#cloud-config', found a list"),
            ("user-data: \"#cloud-config\\na: [\"", "line 3 of the text: not YAML"),
            ("user-data: \"#cloud-config\\na: 1\\na: 2\"", "line 3 of the text: a: the key is written twice"),
            ("user-data: {}", "found an empty map"),
            ("user-data: { fs_setup: [] }", "erases a persistent volume"),
            ("user-data: { runcmd: [[mkfs.ext4, /dev/vdb]] }", "erases a persistent volume"),
            ("user-data: { bootcmd: ['test -e /x || /sbin/mke2fs /dev/vdb'] }", "erases a persistent volume"),
            ("user-data: { a: '${servers.wbe.ports.x}' }", "(did you mean 'web'?)"),
            ("user-data: { a: '${server.web.ports.x}' }", "expected ${servers.NAME.ports.NAME}"),
            ("user-data: { a: '${servers.web.ports.http}' }", "expected the name of a port of 'web'"),
            ("colour: red", "unknown field; expected one of"),
        ]
    )
    func oneMistake(fields: String, part: String) throws {
        let found = try problems(scenario(server: fields))
        #expect(found.count == 1 && found[0].contains(part), "\(found)")
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
            ("[up, { expect: { server: web, http: { port: sql, path: / } } }]", "expected the name of a port"),
            ("[up, { down: [web] }]", "expected 'all' or nothing"),
            ("[upp]", "(did you mean 'up'?)"),
        ]
    )
    func steps(steps: String, part: String) throws {
        let found = try problems(scenario(server: "volumes: { data: /data }\nports: { http: 80 }", steps: steps))
        #expect(found.count == 1 && found[0].contains(part), "\(found)")
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
