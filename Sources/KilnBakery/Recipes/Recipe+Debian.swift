extension Recipe.Debian {
    /// A suite as it is written alone: the least that apt and dpkg need.
    init(suite: String) {
        self.init(suite: suite, variant: "minbase", packages: [], mirrors: [], keyrings: [])
    }
}
