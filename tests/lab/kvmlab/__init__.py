"""A throw-away VM whose /dev/kvm works: emulated, with emulated AMD SVM."""
