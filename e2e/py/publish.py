"""Publishes readings with paho-mqtt, QoS 1, and ends when the broker has confirmed all of them.

    python publish.py PORT USERNAME PASSWORD TOPIC < READINGS    one JSON document a line
"""

import sys

import paho.mqtt.client as mqtt


def main(port, username, password, topic):
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="paho-publisher")
    client.username_pw_set(username, password)
    client.connect("127.0.0.1", int(port))
    client.loop_start()
    messages = [client.publish(topic, line.strip(), qos=1) for line in sys.stdin if line.strip()]
    for message in messages:
        message.wait_for_publish(30)
        assert message.is_published(), "the broker has not confirmed it"
    client.disconnect()
    client.loop_stop()
    print(len(messages))


if __name__ == "__main__":
    main(*sys.argv[1:])
