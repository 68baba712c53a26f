// What the app uses of SwiftUI's modifiers and gestures. Nothing runs.
import Foundation

public struct Font: Sendable {
  public static let footnote = Font()
  public static let headline = Font()
}

public enum UIKeyboardType { case decimalPad }

/// Of UniformTypeIdentifiers.
public struct UTType: Sendable {
  public static let rawImage = UTType()
  public static let data = UTType()
}

extension View {
  public func padding() -> some View { AnyStub() }
  public func clipped() -> some View { AnyStub() }
  public func font(_ font: Font?) -> some View { AnyStub() }
  public func disabled(_ disabled: Bool) -> some View { AnyStub() }
  public func tag(_ tag: some Hashable) -> some View { AnyStub() }
  public func scaledToFit() -> some View { AnyStub() }
  public func scaleEffect(_ scale: CGFloat) -> some View { AnyStub() }
  public func offset(x: CGFloat = 0, y: CGFloat = 0) -> some View { AnyStub() }
  public func keyboardType(_ type: UIKeyboardType) -> some View { AnyStub() }
  public func accessibilityLabel(_ label: String) -> some View { AnyStub() }
  public func tabItem(@ViewBuilder _ label: () -> some View) -> some View { AnyStub() }
  public func mask(@ViewBuilder _ mask: () -> some View) -> some View { AnyStub() }
  public func onDisappear(perform action: (() -> Void)?) -> some View { AnyStub() }
  public func task(_ action: @escaping @MainActor @Sendable () async -> Void) -> some View {
    AnyStub()
  }
  public func gesture(_ gesture: some Gesture) -> some View { AnyStub() }
  public func onChange<Value: Equatable>(
    of value: Value, _ action: @escaping (Value, Value) -> Void
  ) -> some View { AnyStub() }
  public func alert(
    _ title: String, isPresented: Binding<Bool>, @ViewBuilder actions: () -> some View,
    @ViewBuilder message: () -> some View
  ) -> some View { AnyStub() }
  public func fileImporter(
    isPresented: Binding<Bool>, allowedContentTypes: [UTType],
    onCompletion: @escaping (Result<URL, any Error>) -> Void
  ) -> some View { AnyStub() }
}

@MainActor public protocol Gesture {
  associatedtype Value
}
extension Gesture {
  public func simultaneously<Other: Gesture>(with other: Other) -> AnyGesture<Value> {
    AnyGesture()
  }
  public func onChanged(_ action: @escaping (Value) -> Void) -> AnyGesture<Value> { AnyGesture() }
  public func onEnded(_ action: @escaping (Value) -> Void) -> AnyGesture<Value> { AnyGesture() }
}
public struct AnyGesture<Value>: Gesture {}

public struct MagnifyGesture: Gesture {
  public struct Value { public var magnification: CGFloat }
  public init() {}
}
public struct DragGesture: Gesture {
  public struct Value { public var translation: CGSize }
  public init() {}
}
