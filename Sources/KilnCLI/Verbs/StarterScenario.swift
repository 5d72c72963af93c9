/// The scenario that `kiln scenario new` writes.
public enum StarterScenario {
    /// Its text.
    public static let text = """
        # A scenario: a lab, and what is done with it. Run it with 'kiln run FILE'; 'kiln scenario explain FILE' tells it in words.
        kiln: 1
        name: my-scenario
        about: A server is replaced while it writes, and no acknowledged record is lost.

        # Stands for '${vars.…}' anywhere in the file.
        vars: { records: 100 }
        # Each combination is a run of its own.
        matrix: { strategy: [stop-first, warm-first] }

        lab:
          volumes:
            data: { size: 64MiB }
          servers:
            web:
              image: tiny:1          # bake it with 'kiln image bake tiny'
              volumes: { data: /data }
              ports: { http: 80 }
              strategy: "${matrix.strategy}"
              ready: [agent, cloud-init, { http: { port: http, path: /health } }]

        steps:
          - up
          - write-ledger: { server: web, path: /data/ledger }
          - name: a new version
            replace: { server: web, image: "tiny:2" }
            timeout: 10m
          - parallel:
              - expect: { server: web, generation: 2, ready: true }
              - exec: { server: web, command: [cat, /etc/hostname] }
                save: { host: stdout }
          - note: "the machine calls itself ${saved.host}"
          - verify-ledger: { server: web, records-at-least: "${vars.records}" }

        # Done at the end of a run, however that ends.
        finally:
          - note: "that was it"

        """
}
