/// Who says something.
public enum Role: String, Sendable, Hashable, Codable, CaseIterable {
    /// What the app says about all of it.
    case system
    /// The person.
    case user
    /// The model.
    case assistant
}

/// One message of a conversation.
public struct Message: Sendable, Hashable, Codable {
    /// Who says it.
    public var role: Role
    /// What. No text in it can become a control token.
    public var content: String

    /// A message.
    public init(role: Role, content: String) {
        self.role = role
        self.content = content
    }
}
