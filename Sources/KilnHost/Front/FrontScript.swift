import KilnModel

/// What HAProxy does with a request that comes while nobody serves: it waits, and so does no client.
///
/// HAProxy's own queue answers at once where a backend has no server, and its retries are not paced. So an action of Lua waits in
/// steps of 10 ms. What is over after `hold`, or came when too many waited already, is answered by 503; a plain `return` would let
/// it through.
enum FrontScript {
    /// The most connections that a published port has at once while some wait.
    static let mostHeld = FrontSpec.mostConnections

    /// What it says when it was told to pause.
    static let paused = "paused"

    static let text = """
        local function refuse(txn)
            if txn.http then
                local reply = txn:reply { status = 503, reason = "Service Unavailable" }
                reply:add_header("Retry-After", "1")
                reply:add_header("Cache-Control", "no-store")
                txn:done(reply)
            else
                txn:done()
            end
        end

        local function now()
            local time = core.now()
            return time.sec * 1000 + time.usec // 1000
        end

        -- Until then all wait, whoever serves; who wanted that may be killed before it is over.
        local paused = 0

        core.register_cli({ "kiln", "pause" }, "kiln pause MILLISECONDS", function(applet, ...)
            local words = { ... }
            paused = now() + (tonumber(words[#words]) or 0)
            applet:send("\(FrontScript.paused)\\n")
        end)

        local function waits(txn, backend)
            return now() < paused or tonumber(txn.sf:nbsrv(backend)) == 0
        end

        -- Waits until a backend has a server and nobody wants a pause, at most so many milliseconds.
        local function hold(txn, backend, limit)
            if not waits(txn, backend) then return end
            -- HAProxy counts them: a count of our own would never hear of a client that leaves.
            if tonumber(txn.sf:fe_conn()) > \(mostHeld) then return refuse(txn) end
            local begin = now()
            while waits(txn, backend) do
                if now() - begin >= tonumber(limit) then return refuse(txn) end
                core.msleep(10)
            end
        end

        core.register_action("hold", { "http-req", "tcp-req" }, hold, 2)

        """
}
