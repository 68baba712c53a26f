// What the app uses of UIKit, for type checks on Linux. Nothing runs.
import CoreGraphics
import Foundation

public final class UIImage: @unchecked Sendable {
  public init() {}
  public init(cgImage: CGImage) {}
}

open class CALayer {}

@MainActor open class UIView {
  public init() {}
  open class var layerClass: AnyClass { CALayer.self }
  public var layer: CALayer { fatalError("a stub") }
}

@MainActor public final class UIApplication {
  public static let shared = UIApplication()
  public var isIdleTimerDisabled = false
  nonisolated public static let didReceiveMemoryWarningNotification = Notification.Name("memory")
}

@MainActor public final class UIDevice {
  public enum BatteryState { case unknown, unplugged, charging, full }
  public static let current = UIDevice()
  public var isBatteryMonitoringEnabled = false
  public var batteryLevel: Float { fatalError("a stub") }
  public var batteryState: BatteryState { fatalError("a stub") }
  public var model: String { fatalError("a stub") }
  public var systemName: String { fatalError("a stub") }
  public var systemVersion: String { fatalError("a stub") }
}

// Foundation has these on Apple's systems only.
extension ProcessInfo {
  public enum ThermalState { case nominal, fair, serious, critical }
  public var thermalState: ThermalState { fatalError("a stub") }
  public var isLowPowerModeEnabled: Bool { fatalError("a stub") }
}

extension URL {
  public func startAccessingSecurityScopedResource() -> Bool { fatalError("a stub") }
  public func stopAccessingSecurityScopedResource() { fatalError("a stub") }
}
