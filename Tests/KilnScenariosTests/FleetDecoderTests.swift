import KilnDocuments
import KilnModel
import KilnScenarios
import Testing

@Suite("Members of a server, in a lab file")
struct FleetDecoderTests {
    private func lab(
        _ fields: String,
        besides others: String = "",
        volumes: String = "{ data: { size: 64MiB } }",
        steps: String = "[up]"
    ) -> String {
        """
        kiln: 1
        name: test
        lab:
          volumes: \(volumes)
          servers:
            web:
              image: tiny
        \(fields.split(separator: "\n").map { "      \($0)" }.joined(separator: "\n"))
        \(others.split(separator: "\n").map { "    \($0)" }.joined(separator: "\n"))
        steps: \(steps)
        """
    }

    @Test("all that is said of members is read, and what is not has its default")
    func read() throws {
        let text = lab(
            """
            replicas: 3
            volumes: { data: /data }
            ports: { http: 80 }
            volume-from: snapshot seeded
            after-clone: [[become, another]]
            rollout: { max-unavailable: 2, canaries: 1, pause: until-promoted, soak: 5s, on-failure: pause, judge: { requests: 20 } }
            """
        )
        let spec = try #require(KilnScenariosTests.read(text).lab.servers[try Name("web")])
        let fleet = try #require(spec.fleet)
        #expect(try fleet.replicas == 3 && fleet.volumeFrom == .snapshot(Name("seeded")))
        #expect(spec.afterClone == [Hook(["become", "another"])])
        let rollout = RolloutSpec(
            maxUnavailable: 2,
            canaries: 1,
            pause: .untilPromoted,
            soak: .seconds(5),
            onFailure: .pause,
            judge: RolloutJudgeSpec(requests: 20)
        )
        #expect(fleet.rollout == rollout)
        let plain = try #require(KilnScenariosTests.read(lab("replicas: 1")).lab.servers[try Name("web")]?.fleet)
        #expect(plain == FleetSpec(replicas: 1, volumeFrom: .clone(ordinal: nil), rollout: RolloutSpec()))
    }

    @Test("a member's own declaration has its own volumes, and a hold where it publishes a port")
    func own() throws {
        let text = lab("replicas: 2\nvolumes: { data: /data }\nports: { http: 80 }")
        let spec = try #require(KilnScenariosTests.read(text).lab.servers[try Name("web")])
        let server = ServerID(lab: try Name("test"), server: try Name("web"))
        #expect(try spec.ofMember(server.member(0)).volumes == [Name("data"): "/data"])
        let second = try spec.ofMember(server.member(1))
        #expect(try second.volumes == [Name("data-1"): "/data"] && second.hold == .seconds(10))
    }

    @Test(
        "what can't be is named where it stands",
        arguments: [
            ("replicas: 0", "", "expected a whole number from 1 to 16"),
            ("replicas: 17", "", "expected a whole number from 1 to 16"),
            ("rollout: { canaries: 1 }", "", "it is about members, which takes 'replicas'"),
            ("volume-from: empty", "", "it is about members, which takes 'replicas'"),
            ("replicas: 3\nvolume-from: clones", "", "expected clone, clone ORDINAL, snapshot NAME or empty"),
            ("replicas: 3\nrollout: { max-unavailable: 0 }", "", "then no member can ever be replaced"),
            ("replicas: 3\nrollout: { canaries: 4 }", "", "canaries: expected at most 3"),
            ("replicas: 3\nrollout: { pause: 10 }", "", "expected a duration"),
            ("replicas: 3\nrollout: { judge: { requests: 0 } }", "", "expected a whole number from 1"),
            ("replicas: 2\nports: { dns: { guest: 53, protocol: udp } }", "", "datagrams, which one machine gets"),
            ("replicas: 2", "web-1: { image: tiny }", "member 1's server 'web' has this name"),
        ]
    )
    func problems(_ fields: String, _ others: String, _ expected: String) throws {
        let found = try KilnScenariosTests.problems(lab(fields, besides: others))
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }

    @Test("a volume that is called as a member's own is refused")
    func volumes() throws {
        let text = lab(
            "replicas: 2\nvolumes: { data: /data }",
            volumes: "{ data: { size: 64MiB }, data-1: { size: 64MiB } }"
        )
        let found = try KilnScenariosTests.problems(text)
        #expect(found.contains { $0.contains("member 1's volume 'data' has this name") }, "\(found)")
    }

    @Test("a step about one machine takes a member by its number")
    func members() throws {
        let steps = "[up, { exec: { server: web.1, command: a } }, { expect: { server: web.0, ready: true } }]"
        let read = try KilnScenariosTests.read(lab("replicas: 2", steps: steps))
        #expect(read.steps.map(\.description) == ["up web", "exec web.1", "expect web"])
    }

    @Test("a member that a step before declares is one, and not before that")
    func declaredMembers() throws {
        let use = "{ exec: { server: web.2, command: a } }"
        let declare = "{ declare: { server: web, replicas: 3 } }"
        let read = try KilnScenariosTests.read(lab("replicas: 2", steps: "[up, \(declare), \(use)]"))
        #expect(read.steps.map(\.description) == ["up web", "declare web", "exec web.2"])
        let found = try KilnScenariosTests.problems(lab("replicas: 2", steps: "[up, \(use), \(declare)]"))
        #expect(found.contains { $0.contains("expected a member of web, found 'web.2'") }, "\(found)")
    }

    @Test(
        "a member that there is not is refused, and so is one where all are meant",
        arguments: [
            ("exec: { server: web.2, command: a }", "expected a member of web, found 'web.2'; declared: web.0, web.1"),
            ("exec: { server: wep.1, command: a }", "found 'wep' (did you mean 'web'?)"),
            ("replace: { server: web.1 }", "expected the name of a server, found 'web.1'"),
        ]
    )
    func noMember(_ step: String, _ expected: String) throws {
        let found = try KilnScenariosTests.problems(lab("replicas: 2", steps: "[up, { \(step) }]"))
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }
}
