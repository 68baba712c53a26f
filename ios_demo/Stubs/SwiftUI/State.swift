// What the app uses of SwiftUI (and of Combine through it) to hold state. Nothing runs.
import Foundation

public protocol ObservableObject: AnyObject {}

@propertyWrapper public struct Published<Value> {
  public var wrappedValue: Value
  public init(wrappedValue: Value) { self.wrappedValue = wrappedValue }
}

@propertyWrapper @dynamicMemberLookup public struct Binding<Value> {
  public init(get: @escaping () -> Value, set: @escaping (Value) -> Void) {}
  public var wrappedValue: Value {
    get { fatalError("a stub") }
    nonmutating set {}
  }
  public var projectedValue: Binding<Value> { self }
  public subscript<Member>(dynamicMember path: WritableKeyPath<Value, Member>) -> Binding<Member> {
    fatalError("a stub")
  }
}

@propertyWrapper public struct State<Value> {
  public init(wrappedValue: Value) {}
  public var wrappedValue: Value {
    get { fatalError("a stub") }
    nonmutating set {}
  }
  public var projectedValue: Binding<Value> { fatalError("a stub") }
}

extension State where Value: ExpressibleByNilLiteral {
  public init() {}
}

@dynamicMemberLookup public struct ObjectWrapper<Object: ObservableObject> {
  public subscript<Member>(dynamicMember path: ReferenceWritableKeyPath<Object, Member>)
    -> Binding<Member>
  { fatalError("a stub") }
}

@propertyWrapper @MainActor public struct ObservedObject<Object: ObservableObject> {
  public init(wrappedValue: Object) {}
  public var wrappedValue: Object { fatalError("a stub") }
  public var projectedValue: ObjectWrapper<Object> { fatalError("a stub") }
}

@propertyWrapper @MainActor public struct StateObject<Object: ObservableObject> {
  public init(wrappedValue: @autoclosure @escaping () -> Object) {}
  public var wrappedValue: Object { fatalError("a stub") }
  public var projectedValue: ObjectWrapper<Object> { fatalError("a stub") }
}

public enum ScenePhase: Equatable { case background, inactive, active }

public struct EnvironmentValues {
  public var scenePhase: ScenePhase { fatalError("a stub") }
}

@propertyWrapper public struct Environment<Value> {
  public init(_ path: KeyPath<EnvironmentValues, Value>) {}
  public var wrappedValue: Value { fatalError("a stub") }
}
